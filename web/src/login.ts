import type { Me } from "./api.ts";
import * as api from "./api.ts";
import { h } from "./dom.ts";
import { languageMenu, t } from "./language.ts";
import { fault } from "./words.ts";

/** The form that stands before everything where people must log in. */
export function loginForm(entered: (me: Me) => void, anew: () => void): HTMLElement {
  const note = h("p", { class: "note", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, t("login.enter"));
  const form = h(
    "form",
    {
      class: "login",
      onsubmit: async (event: SubmitEvent) => {
        event.preventDefault();
        const fields = new FormData(form);
        button.disabled = true;
        try {
          entered(await api.login(String(fields.get("name")), String(fields.get("password"))));
        } catch (error) {
          note.textContent = error instanceof api.Refusal && error.status === 401 ? t("login.wrong") : fault(error);
          form.querySelector<HTMLInputElement>("input[name=password]")!.value = "";
        } finally {
          button.disabled = false;
        }
      },
    },
    h("h1", {}, h("img", { src: "/icon.svg", alt: "", width: 32, height: 32 }), "boneage"),
    h("label", {}, h("span", {}, t("login.name")), h("input", { name: "name", autocomplete: "username", required: true, autofocus: true })),
    h("label", {}, h("span", {}, t("login.password")), h("input", { name: "password", type: "password", autocomplete: "current-password", required: true })),
    note,
    button,
    h("div", { class: "foot" }, h("p", { class: "quiet" }, t("page.research")), languageMenu(anew)),
  );
  return form;
}

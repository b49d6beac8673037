import type { Film, Sex } from "./api.ts";
import * as api from "./api.ts";
import { h, icon } from "./dom.ts";
import { number, t } from "./language.ts";

/** The way of a film into the page: dropped or picked, then whose hand it is. */
export class Intake {
  /** What is shown where a film will be. */
  readonly element: HTMLElement;
  private readonly picker = h("input", {
    type: "file",
    multiple: true,
    accept: ".png,.jpg,.jpeg,.tif,.tiff,.bmp,.dcm,image/*,application/dicom",
    "aria-label": t("intake.choose"),
    onchange: () => void this.take([...(this.picker.files ?? [])]),
  });
  /** Asks whose hand it is; for the page to hold. */
  readonly dialog = h("dialog", { class: "sex", "aria-label": t("intake.whose") });

  constructor(
    private readonly mayUpload: () => boolean,
    private readonly uploaded: (film: Film) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.picker.hidden = true;
    this.element = h(
      "div",
      { class: "intake" },
      icon("M12 16V5M7 10l5-5l5 5M5 16v3h14v-3"),
      h("p", { class: "invitation" }, t("intake.invitation")),
      h("p", { class: "quiet" }, t("intake.kinds")),
      h("button", { type: "button", class: "primary", onclick: () => this.pick() }, t("intake.pick")),
      this.picker,
    );
    this.listen();
  }

  /** Opens the system's dialog for files. */
  pick(): void {
    if (!this.mayUpload()) return;
    this.picker.value = "";
    this.picker.click();
  }

  private listen(): void {
    let depth = 0;
    const over = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true && this.mayUpload();
    const mark = (): void => {
      document.body.classList.toggle("dropping", depth > 0);
    };
    addEventListener("dragenter", (event) => {
      if (over(event)) depth++;
      mark();
    });
    addEventListener("dragleave", (event) => {
      if (over(event)) depth = Math.max(0, depth - 1);
      mark();
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      mark();
      if (over(event)) void this.take([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** Asks for the sex, unless every file tells one itself. */
  private async take(files: File[]): Promise<void> {
    const told = await Promise.all(files.map(tellsSex));
    if (files.length > 0 && told.every((one) => one)) await this.send(files, null);
    else this.ask(files);
  }

  private ask(files: File[]): void {
    if (files.length === 0) return;
    const button = (text: string, key: string, sex: Sex | null): HTMLElement =>
      h("button", { type: "button", class: sex === null ? "plain" : "large", "aria-keyshortcuts": key, onclick: () => void this.send(files, sex) },
        text, h("kbd", { "aria-hidden": "true" }, key));
    this.dialog.replaceChildren(
      h("h2", {}, t("intake.whose")),
      h("p", { class: "quiet" }, files.length === 1 ? files[0]!.name : t("intake.several", { count: number(files.length) })),
      h("div", { class: "buttons" }, button(t("intake.girl"), t("intake.girlKey"), "female"), button(t("intake.boy"), t("intake.boyKey"), "male")),
      button(t("intake.unknown"), t("intake.unknownKey"), null),
    );
    this.dialog.onkeydown = (event) => {
      const keys: [string, Sex | null][] = [[t("intake.girlKey"), "female"], [t("intake.boyKey"), "male"], [t("intake.unknownKey"), null]];
      const pressed = keys.find(([key]) => key === event.key.toUpperCase());
      if (pressed === undefined) return;
      event.preventDefault();
      void this.send(files, pressed[1]);
    };
    this.dialog.showModal();
  }

  private async send(files: File[], sex: Sex | null): Promise<void> {
    this.dialog.close();
    for (const file of files) {
      try {
        this.uploaded(await api.upload(file, sex));
      } catch (error) {
        this.failed(error);
      }
    }
  }
}

/** Bytes of a DICOM file in which the patient's sex stands, before everything that is large. */
const HEAD = 64 << 10;

/** Whether a file is DICOM with the patient's sex (0010,0040) in its header: F or M, written explicitly or not. */
async function tellsSex(file: File): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const text = new TextDecoder("latin1").decode(head);
  return text.slice(128, 132) === "DICM" && /\x10\0\x40\0(?:CS..|....)[FM][ \0]/s.test(text);
}

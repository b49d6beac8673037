// What the page says in each language.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer } from "vite";
import { dicom, drop, example, open, root, serious, serve, shoot } from "./service.mjs";

const PATIENCE = { timeout: 60_000 };

let vite;
let languages;
let service;
before(async () => {
  vite = await createServer({ root: join(root, "web"), server: { middlewareMode: true, ws: false }, logLevel: "error" });
  languages = (await vite.ssrLoadModule("/src/messages/mod.ts")).LANGUAGES;
  service = await serve();
});
after(async () => {
  await service.stop();
  await vite.close();
});

const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

test("every language has the same messages with the same places to fill", () => {
  const { en, ...others } = languages;
  for (const [word, { page }] of Object.entries(others)) {
    assert.deepEqual(Object.keys(page), Object.keys(en.page), word);
    for (const [key, text] of Object.entries(page)) {
      assert.notEqual(text.trim(), "", `${word} ${key}`);
      assert.deepEqual(holes(text), holes(en.page[key]), `${word} ${key}`);
    }
  }
  const [first, ...rest] = Object.entries(others);
  for (const [word, { service }] of rest) {
    assert.deepEqual(Object.keys(service), Object.keys(first[1].service), word);
    for (const [key, text] of Object.entries(service)) assert.deepEqual(holes(text), holes(first[1].service[key]), `${word} ${key}`);
  }
});

test("every flag of the program has a sentence in every language", () => {
  const rust = readFileSync(join(root, "crates/core/src/assessment.rs"), "utf8");
  const codes = [...rust.matchAll(/FlagCode::\w+ => "(\w+)"/g)].map(([, code]) => `flag.${code}`).sort();
  assert.ok(codes.length > 20, String(codes.length));
  for (const [word, { service }] of Object.entries(languages)) {
    if (service === null) continue;
    assert.deepEqual(Object.keys(service).filter((key) => key.startsWith("flag.")).sort(), codes, word);
  }
});

test("the page reads in German where the browser does, and another language is kept", async (t) => {
  const { page, close } = await open(t, service.address, { locale: "de-AT" });
  await page.getByText("Röntgenaufnahme der linken Hand").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  await shoot(page, "german-empty");
  await drop(page, "hand.png", readFileSync(example));
  await page.getByText("Wessen Hand ist es?").waitFor();
  await shoot(page, "german-sex");
  await page.keyboard.press("u");
  const headline = page.locator(".headline[aria-label]");
  await headline.waitFor(PATIENCE);
  assert.match(await headline.getAttribute("aria-label"), /^Skelettalter \d+ Jahre \d+ Monate?$/);
  assert.match(await page.locator(".numbers").textContent(), /^\d+,\d Monate · Geschlecht unbekannt$/);
  await page.getByText("Das Geschlecht ist nicht angegeben").waitFor();
  await page.locator(".readout", { hasText: "Fenster 255, Lage 128" }).waitFor();
  await shoot(page, "german");
  assert.deepEqual(await serious(page), []);

  await page.getByLabel("Sprache").selectOption("es");
  await page.getByText("No se indicó el sexo").waitFor();
  assert.match(await headline.getAttribute("aria-label"), /^Edad ósea \d+ años \d+ mes(es)?$/);
  await shoot(page, "spanish");
  assert.deepEqual(await serious(page), []);
  await page.reload();
  await page.getByText("No se indicó el sexo").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "es");
  await close();
});

test("reasons are translated by their code, and told in English where there is none", async (t) => {
  const { page, close } = await open(t, service.address, { locale: "de-DE", colorScheme: "dark" });
  await drop(page, "film.dcm", readFileSync(dicom));
  await page.getByText("Kein Alter angegeben").waitFor(PATIENCE);
  await page.getByText("Das Bild sieht nicht wie eine Röntgenaufnahme einer Hand aus.").waitFor();
  await shoot(page, "german-refused");
  assert.deepEqual(await serious(page), []);
  await drop(page, "cut.png", readFileSync(example).subarray(0, 9000));
  await page.keyboard.press("u");
  await page.getByText("Die Datei ließ sich nicht lesen.").waitFor(PATIENCE);
  assert.match(await page.locator('.flags [lang="en"]').textContent(), /truncated/);
  await shoot(page, "german-failed");
  await page.keyboard.press("?");
  await shoot(page, "german-keys");
  assert.deepEqual(await serious(page), []);
  await close();
});

test("a service that is gone is told in the page's language", async (t) => {
  const gone = await serve({ users: { rita: "reader" } });
  const { page, close } = await open(t, gone.address, { locale: "de-DE" });
  await page.getByLabel("Name", { exact: true }).fill("rita");
  await page.getByLabel("Passwort").fill("not her password");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.getByText("Name oder Passwort ist falsch.").waitFor();
  await shoot(page, "german-login");
  assert.deepEqual(await serious(page), []);
  await page.getByLabel("Passwort").fill("four words will do");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.getByText("rita, Befunder").waitFor();
  await gone.stop();
  await page.getByLabel("Aufnahmen nach Name").fill("hand");
  await page.locator(".toast.shown", { hasText: "Der Dienst antwortet nicht." }).waitFor();
  await shoot(page, "german-gone");
  assert.deepEqual(await serious(page), []);
  await close();
});

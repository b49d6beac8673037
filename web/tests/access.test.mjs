// Each state of the page in each language, light and dark, large and on a tablet: nothing keeps people out, nothing overflows.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { dicomFilm } from "./films.mjs";
import { boy, dicom, drop, example, open, serious, serve, shoot } from "./service.mjs";

const PATIENCE = { timeout: 60_000 };

let service;
before(async () => {
  service = await serve();
});
after(() => service.stop());

test("the films are there", async (t) => {
  const { page, close } = await open(t, service.address);
  const films = [
    ["refused.dcm", readFileSync(dicom)],
    ["first.dcm", await dicomFilm(page, example, { day: "20240320" })],
    ["turned.dcm", await dicomFilm(page, boy, { day: "20250920", quarters: 1 })],
  ];
  for (const [name, bytes] of films) {
    await drop(page, name, bytes);
    await page.locator(".filename", { hasText: name }).waitFor();
    await page.locator(".decision").waitFor(PATIENCE);
  }
  await close();
});

const LOOKS = { light: [1280, 800], dark: [820, 1180] };

for (const locale of ["en-GB", "de-DE", "es-ES"]) {
  for (const [colorScheme, [width, height]] of Object.entries(LOOKS)) {
    test(`nobody is kept out: ${locale}, ${colorScheme}`, async (t) => {
      const { page, close } = await open(t, service.address, { locale, colorScheme, width, height });
      const look = async (state) => {
        await shoot(page, `${locale.slice(0, 2)}-${colorScheme}-${state}`);
        assert.deepEqual(await serious(page), [], state);
        const outside = await page.evaluate(() => {
          // The list of films reaches over its room on purpose, to the edges of its column.
          const all = document.querySelectorAll(":root, aside :not(.worklist), .result *, .toolbar, .toolbar *, dialog[open] *");
          const wide = [...all].filter((element) => {
            const shows = element === document.documentElement || getComputedStyle(element).overflowX === "visible";
            return shows && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
          });
          return wide.map((element) => element.outerHTML.slice(0, 120));
        });
        assert.deepEqual(outside, [], `${state} is too wide`);
      };
      await look("empty");
      const choose = async (name) => {
        await page.locator(".films button", { hasText: name }).click();
        await page.locator(".filename", { hasText: name }).waitFor();
        await page.locator(".readout", { hasText: "255" }).waitFor();
        await page.locator(".growth h3").waitFor();
      };
      await choose("refused.dcm");
      await look("refused");
      await choose("turned.dcm");
      await look("flagged");
      await page.locator(".growth table").scrollIntoViewIfNeeded();
      await look("chart");
      await page.keyboard.press("o");
      await look("overruling");
      await page.keyboard.press("Escape");
      await page.locator(".filename").click();
      await page.keyboard.press("?");
      await look("keys");
      await page.keyboard.press("Escape");
      await page.keyboard.press("c");
      await page.locator(".laying").waitFor();
      for (const key of ["l", ".", ".", ".", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowUp", "ArrowRight"]) await page.keyboard.press(key);
      await look("crop");
      await close();
    });
  }
}

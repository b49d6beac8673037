// Earlier studies of the same patient, on a chart and as a table.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { dicomFilm } from "./films.mjs";
import { boy, drop, example, open, serious, serve, shoot } from "./service.mjs";

const PATIENCE = { timeout: 60_000 };

let service;
before(async () => {
  service = await serve();
});
after(() => service.stop());

test("earlier studies of the patient stand on the chart and in the table", async (t) => {
  const { page, close } = await open(t, service.address);
  await page.getByText("Drop a radiograph").waitFor();
  await drop(page, "first.dcm", await dicomFilm(page, example, { day: "20240320" }));
  await page.getByText("No earlier study of this patient.").waitFor(PATIENCE);
  assert.equal(await page.locator(".chart circle").count(), 1);
  await shoot(page, "chart-one");
  await drop(page, "second.dcm", await dicomFilm(page, boy, { day: "20250920" }));
  const rows = page.locator(".growth tbody tr");
  await rows.nth(1).waitFor(PATIENCE);
  assert.equal(await page.locator(".chart circle").count(), 2);
  assert.equal(await page.locator(".chart .whisker.this").count(), 1);
  assert.equal(await page.locator(".chart .band").count(), 2);
  assert.match(await rows.nth(0).textContent(), /20\/03\/2024.*10\sy\s0\sm/);
  assert.match(await rows.nth(1).textContent(), /20\/09\/2025.*11\sy\s6\sm/);
  assert.equal(await rows.nth(1).getAttribute("aria-current"), "true");
  assert.deepEqual(await serious(page), []);
  await page.locator(".growth").scrollIntoViewIfNeeded();
  await shoot(page, "chart");

  // A person's age takes the model's place; another patient's film is not among them.
  await page.keyboard.press("o");
  await page.getByRole("spinbutton", { name: "Years" }).fill("12");
  await page.getByRole("spinbutton", { name: "Months" }).fill("0");
  await page.keyboard.press("Enter");
  await page.locator(".growth", { hasText: "by a person" }).waitFor();
  assert.equal(await page.locator(".chart rect.dot").count(), 1);
  await rows.nth(0).getByRole("link").click();
  await page.locator(".filename", { hasText: "first.dcm" }).waitFor();
  await page.locator(".growth tbody tr[aria-current]", { hasText: "20/03/2024" }).waitFor();
  await drop(page, "other.dcm", await dicomFilm(page, boy, { day: "20250101", patient: "4712" }));
  await page.locator(".filename", { hasText: "other.dcm" }).waitFor();
  await page.getByText("No earlier study of this patient.").waitFor(PATIENCE);
  await close();
});

test("a film that names nobody has no chart and says why", async (t) => {
  const { page, close } = await open(t, service.address, { colorScheme: "dark" });
  await page.getByText("Drop a radiograph").waitFor();
  await drop(page, "girl-10-years.png", readFileSync(example));
  await page.keyboard.press("g");
  await page.getByText("No chart: the child’s age").waitFor(PATIENCE);
  await page.getByText("Earlier studies are not known, as the patient is not.").waitFor();
  assert.equal(await page.locator(".chart").count(), 0);
  await page.locator(".films button", { hasText: "second.dcm" }).click();
  await page.locator(".growth tbody tr").nth(1).waitFor();
  await page.locator(".growth").scrollIntoViewIfNeeded();
  await shoot(page, "chart-dark");
  assert.deepEqual(await serious(page), []);
  await close();
});

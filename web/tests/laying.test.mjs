// A film that lies wrongly is laid down by hand and read again.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { dicomFilm } from "./films.mjs";
import { drop, example, open, serious, serve, shoot } from "./service.mjs";

const PATIENCE = { timeout: 60_000 };

let service;
before(async () => {
  service = await serve();
});
after(() => service.stop());

const months = async (page) => Number.parseFloat(await page.locator(".numbers").textContent());

test("a film is turned and cropped by hand, read again, and the automatic reading kept", async (t) => {
  const { page, close } = await open(t, service.address);
  await page.getByText("Drop a radiograph").waitFor();
  // Turned by 90 degrees clockwise: by hand it is turned back.
  await drop(page, "turned.dcm", await dicomFilm(page, example, { day: "20240320", quarters: 1 }));
  await page.locator(".headline[aria-label]").waitFor(PATIENCE);
  await page.getByRole("button", { name: "Crop and turn by hand" }).click();
  await page.getByText("Drag a box around the hand.").waitFor();
  await page.keyboard.press("l");
  await page.locator(".degrees", { hasText: "−90°" }).waitFor();
  const frame = await page.locator(".laying .frame").boundingBox();
  const at = (x, y) => [frame.x + x * frame.width, frame.y + y * frame.height];
  await page.mouse.move(...at(0.06, 0.02));
  await page.mouse.down();
  await page.mouse.move(...at(0.5, 0.5));
  await page.mouse.move(...at(0.95, 0.98));
  await page.mouse.up();
  await shoot(page, "crop");
  assert.deepEqual(await serious(page), []);
  const posted = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/readings"));
  await page.getByRole("button", { name: "Read again" }).click();
  const { turn, mirrored, crop } = (await posted).postDataJSON();
  assert.deepEqual([turn, mirrored], [-90, false]);
  for (const [told, drawn] of [[crop.left, 0.06], [crop.top, 0.02], [crop.width, 0.89], [crop.height, 0.96]]) {
    assert.ok(Math.abs(told - drawn) < 0.01, `${told} for ${drawn}`);
  }
  await page.getByText("By hand: turned 90° anticlockwise, cropped").waitFor(PATIENCE);
  await page.getByText("Automatic reading: ").waitFor();
  const byHand = await months(page);
  // The film as it was taken, with a little less of its edges.
  assert.ok(byHand > 100 && byHand < 150, String(byHand));
  await page.locator(".readout", { hasText: "window 255" }).waitFor();
  await shoot(page, "by-hand");
  assert.deepEqual(await serious(page), []);
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "FHIR", exact: true }).click(),
  ]);
  assert.match(readFileSync(await saved.path(), "utf8"), /turned by hand by 90 degrees anticlockwise, cropped by hand/);
  await page.getByRole("button", { name: "Read the automatic way again" }).click();
  await page.getByRole("button", { name: "Crop and turn by hand" }).waitFor(PATIENCE);
  assert.equal(await page.getByText("By hand:").count(), 0);
  await close();
});

test("a finger draws the box, and two fingers zoom", async (t) => {
  const { page, close } = await open(t, service.address, { width: 820, height: 1180, hasTouch: true });
  await page.locator(".films button", { hasText: "turned.dcm" }).tap();
  await page.locator(".readout", { hasText: "window 255" }).waitFor();
  await page.getByRole("button", { name: "Crop and turn (C)" }).tap();
  const box = () => page.locator(".laying .box").evaluate(({ style }) => [style.left, style.top, style.width, style.height].map(Number.parseFloat));
  assert.deepEqual(await box(), [0, 0, 100, 100]);
  const devtools = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  const frame = await page.locator(".laying .frame").boundingBox();
  const at = (x, y) => [frame.x + x * frame.width, frame.y + y * frame.height];
  await touch("touchStart", at(0.2, 0.1));
  for (const way of [0.3, 0.6, 0.8]) await touch("touchMove", at(way, way));
  await touch("touchEnd");
  const drawn = await box();
  for (const [i, wanted] of [20, 10, 60, 70].entries()) assert.ok(Math.abs(drawn[i] - wanted) < 1, String(drawn));
  // A corner is dragged.
  await touch("touchStart", at(0.8, 0.8));
  for (const way of [0.85, 0.9]) await touch("touchMove", at(way, way));
  await touch("touchEnd");
  const dragged = await box();
  for (const [i, wanted] of [20, 10, 70, 80].entries()) assert.ok(Math.abs(dragged[i] - wanted) < 1, String(dragged));
  // Beside the box, two fingers zoom; nothing new is drawn.
  await touch("touchStart", at(0.05, 0.5), at(0.05, 0.6));
  for (const way of [0.65, 0.7]) await touch("touchMove", at(0.05, 0.5), at(0.05, way));
  await touch("touchEnd");
  await page.waitForFunction((width) => document.querySelector(".laying .frame").clientWidth > 1.5 * width, frame.width);
  assert.deepEqual(await box(), dragged);
  await shoot(page, "crop-touch");
  await page.getByRole("button", { name: "Cancel" }).tap();
  await page.locator(".laying").waitFor({ state: "detached" });
  await close();
});

test("keys alone lay a film down, and Escape leaves it as it was", async (t) => {
  const { page, close } = await open(t, service.address, { colorScheme: "dark" });
  await page.locator(".films button", { hasText: "turned.dcm" }).click();
  await page.locator(".readout", { hasText: "window 255" }).waitFor();
  await page.keyboard.press("c");
  await page.keyboard.press("m");
  for (let i = 0; i < 5; i++) await page.keyboard.press(".");
  // What looks clockwise in the mirror.
  await page.locator(".degrees", { hasText: "−5°" }).waitFor();
  for (let i = 0; i < 10; i++) await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Escape");
  await page.locator(".laying").waitFor({ state: "detached" });
  await page.keyboard.press("c");
  await page.locator(".degrees", { hasText: /^0°$/ }).waitFor();
  await page.keyboard.press("l");
  for (let i = 0; i < 10; i++) await page.keyboard.press("Shift+ArrowLeft");
  const posted = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/readings"));
  await page.keyboard.press("Enter");
  const { turn, crop } = (await posted).postDataJSON();
  assert.deepEqual([turn, crop.left, crop.top, crop.height], [-90, 0, 0, 1]);
  assert.ok(Math.abs(crop.width - 0.9) < 1e-6);
  await page.getByText("By hand: turned 90° anticlockwise, cropped").waitFor(PATIENCE);
  // A verdict stands on the reading that it was given for.
  await page.getByRole("button", { name: "Accept", exact: true }).click();
  await page.locator(".verdict", { hasText: "Accepted" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Crop and turn (C)" }).isDisabled(), true);
  await close();
});

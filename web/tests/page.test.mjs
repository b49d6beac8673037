// The page in a real browser against the real program.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { boy, dicom, drop, example, open, serious, serve, shoot } from "./service.mjs";

const PATIENCE = { timeout: 60_000 };

let service;
before(async () => {
  service = await serve();
});
after(() => service.stop());

test("a film is dropped, read, accepted, and still there after a reload", async (t) => {
  const { page, close } = await open(t, service.address);
  await page.getByText("Drop a radiograph").waitFor();
  await shoot(page, "empty");
  assert.deepEqual(await serious(page), []);
  await drop(page, "girl-10-years.png", readFileSync(example));
  await page.getByText("Whose hand is it?").waitFor();
  await shoot(page, "sex");
  await page.keyboard.press("g");
  const headline = page.locator(".headline[aria-label]");
  await headline.waitFor(PATIENCE);
  const age = await headline.getAttribute("aria-label");
  assert.match(age, /^Bone age (9|10|11) years? \d+ months?$/);
  await page.locator(".readout", { hasText: "window 255" }).waitFor();
  await shoot(page, "read");
  assert.deepEqual(await serious(page), []);

  await page.getByRole("textbox", { name: "Comment" }).fill("plausible");
  await page.getByRole("button", { name: "Accept", exact: true }).click();
  await page.locator(".verdict", { hasText: "Accepted" }).waitFor();
  await page.reload();
  await page.getByText("plausible").waitFor();
  assert.equal(await headline.getAttribute("aria-label"), age);
  await page.locator(".readout", { hasText: "window 255" }).waitFor();
  await shoot(page, "accepted");
  assert.equal(await page.locator(".films li").count(), 1);
  await close();
});

test("a reading is overruled by keys and the verdict taken back", async (t) => {
  const { page, close } = await open(t, service.address, { colorScheme: "dark" });
  await page.getByText("Drop a radiograph").waitFor();
  await page.locator("input[type=file]").setInputFiles(boy);
  await page.getByRole("button", { name: "A boy’s" }).click();
  await page.locator(".headline[aria-label]").waitFor(PATIENCE);
  await page.locator(".viewer canvas").focus();
  await page.keyboard.press("o");
  await page.getByRole("spinbutton", { name: "Years" }).fill("12");
  await page.getByRole("spinbutton", { name: "Months" }).fill("6");
  await shoot(page, "overruling-dark");
  assert.deepEqual(await serious(page), []);
  await page.keyboard.press("Enter");
  await page.getByText("Overruled: 12 years 6 months").waitFor();
  await page.locator(".films .age", { hasText: "12 y 6 m" }).waitFor();
  await page.getByRole("button", { name: "Take back" }).click();
  await page.getByRole("button", { name: "Accept", exact: true }).waitFor();
  await close();
});

test("layers and windows follow keys and mouse", async (t) => {
  const { page, close } = await open(t, service.address);
  await page.locator(".films button").first().click();
  const readout = page.locator(".readout", { hasText: "window 255" });
  await readout.waitFor();
  const picture = () => page.locator(".viewer canvas").evaluate((canvas) => canvas.toDataURL());
  const settled = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const seen = new Set([await picture()]);
  await page.locator(".viewer canvas").focus();
  for (const key of ["a", "h", "i", "+"]) {
    await page.keyboard.press(key);
    await settled();
    seen.add(await picture());
  }
  assert.equal(seen.size, 5, "each key changes the picture");
  await page.keyboard.press("r");
  await page.getByRole("button", { name: "Window", exact: true }).click();
  const box = await page.locator(".viewer canvas").boundingBox();
  await page.mouse.move(box.x + 200, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + 240);
  await page.mouse.up();
  await page.locator(".readout", { hasText: "window 223, level 144" }).waitFor();
  // The same without a mouse.
  const before = (await page.locator(".readout").textContent()).match(/\d+%/)[0];
  for (const key of ["d", "d", "w", "b"]) await page.keyboard.press(key);
  await page.locator(".readout", { hasText: "window 215, level 152" }).waitFor();
  const still = await picture();
  await page.keyboard.press("Shift+ArrowRight");
  await settled();
  assert.notEqual(await picture(), still, "it moves");
  await page.keyboard.press(",");
  const strength = page.getByLabel("Strength of the attention map");
  assert.equal(await strength.isDisabled(), true, "the map is not shown");
  await page.keyboard.press("a");
  await page.keyboard.press(",");
  assert.equal(await strength.inputValue(), "90");
  await page.keyboard.press("+");
  await page.locator(".readout", { hasNotText: before }).waitFor();
  await close();
});

test("two fingers zoom and move the film", async (t) => {
  const { page, close } = await open(t, service.address, { width: 820, height: 1180, hasTouch: true });
  await page.locator(".films button").first().tap();
  await page.locator(".readout", { hasText: "window 255" }).waitFor();
  const box = await page.locator(".viewer canvas").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const devtools = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([dx, dy], id) => ({ x: x + dx, y: y + dy, id })) });
  const percent = async () => Number.parseInt((await page.locator(".readout").textContent()).match(/(\d+)%/)[1]);
  const before = await percent();
  await touch("touchStart", [-50, 0], [50, 0]);
  for (const far of [60, 75, 90, 100]) await touch("touchMove", [-far, 0], [far, 0]);
  await touch("touchEnd");
  await page.locator(".readout", { hasNotText: `${before}%` }).waitFor();
  const after = await percent();
  assert.ok(Math.abs(after / before - 2) < 0.1, `${before} to ${after}`);
  // Both fingers the same way: the film goes with them, and stays as large.
  const picture = () => page.locator(".viewer canvas").evaluate((canvas) => canvas.toDataURL());
  const still = await picture();
  await touch("touchStart", [-50, 0], [50, 0]);
  for (const way of [10, 20, 40]) await touch("touchMove", [-50, way], [50, way]);
  await touch("touchEnd");
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.notEqual(await picture(), still);
  assert.equal(await percent(), after);
  await close();
});

test("the worklist is searched and walked by keys", async (t) => {
  const { page, close } = await open(t, service.address);
  await page.locator(".films li").nth(1).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("girl");
  await page.locator(".films li").nth(1).waitFor({ state: "detached" });
  assert.equal(await page.locator(".films .name").textContent(), "girl-10-years.png");
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowDown");
  await page.locator(".films button[aria-current]").waitFor();
  await page.getByLabel("Search films by name or comment").fill("nothing like it");
  await page.getByText("Nothing found.").waitFor();
  await close();
});

test("a DICOM file tells the sex itself, and the reading is saved as files", async (t) => {
  const { page, close } = await open(t, service.address);
  await page.getByText("Drop a radiograph").waitFor();
  await drop(page, "film.dcm", readFileSync(dicom));
  await page.getByText("No age given").waitFor(PATIENCE);
  assert.equal(await page.getByText("Whose hand is it?").count(), 0);
  await page.getByText("Chronological age").waitFor();
  await shoot(page, "refused");
  assert.deepEqual(await serious(page), []);
  for (const [word, begins] of [["PDF", "%PDF-"], ["DICOM SR", "DICM"], ["FHIR", "{"]]) {
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: word, exact: true }).click(),
    ]);
    const bytes = readFileSync(await saved.path());
    const at = begins === "DICM" ? 128 : 0;
    assert.equal(bytes.subarray(at, at + begins.length).toString("latin1"), begins, word);
  }
  await close();
});

test("what cannot be read says why", async (t) => {
  const { page, close } = await open(t, service.address);
  await page.getByText("Drop a radiograph").waitFor();
  await drop(page, "cut.png", readFileSync(example).subarray(0, 9000));
  await page.getByText("Whose hand is it?").waitFor();
  await page.keyboard.press("u");
  await page.getByText("truncated").waitFor(PATIENCE);
  await shoot(page, "failed");
  await close();
});

test("it works on a tablet and in the dark", async (t) => {
  for (const [name, size] of Object.entries({ upright: [820, 1180], across: [1024, 768] })) {
    const { page, close } = await open(t, service.address, { width: size[0], height: size[1], colorScheme: "dark", locale: "de-DE" });
    await page.locator(".films button", { hasText: "girl-10" }).click();
    await page.locator(".readout", { hasText: "Fenster 255" }).waitFor();
    await shoot(page, `tablet-${name}`);
    const outside = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll(".toolbar, .films")].some((element) => element.scrollWidth > element.clientWidth));
    assert.equal(outside, false, `${name} is too wide`);
    await close();
  }
});

test("people log in where they must, and a viewer gives no verdict", async (t) => {
  const guarded = await serve({ users: { rita: "reader", vera: "viewer" } });
  try {
    const { page, close } = await open(t, guarded.address);
    const login = async (name, password) => {
      await page.getByLabel("Name", { exact: true }).fill(name);
      await page.getByLabel("Password", { exact: true }).fill(password);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    await login("rita", "not her password");
    await page.getByText("name or password is wrong").waitFor();
    await shoot(page, "login");
    assert.deepEqual(await serious(page), []);
    await login("rita", "four words will do");
    await page.getByText("rita, reader").waitFor();
    await drop(page, "girl-10-years.png", readFileSync(example));
    await page.keyboard.press("g");
    await page.getByRole("button", { name: "Accept", exact: true }).waitFor(PATIENCE);
    await page.getByRole("button", { name: "Log out" }).click();
    await login("vera", "four words will do");
    await page.locator(".headline[aria-label]").waitFor();
    assert.equal(await page.getByRole("button", { name: "Accept", exact: true }).count(), 0);
    assert.equal(await page.getByRole("button", { name: "Add a film" }).count(), 0);
    await close();
    assert.ok(!guarded.log().includes("girl-10"), "the log names a file");
  } finally {
    await guarded.stop();
  }
});

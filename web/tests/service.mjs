// A running `boneage serve` and a browser, for the tests of the page.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const boneage = process.env.BONEAGE ?? join(target, "debug/boneage");

export const example = join(root, "examples/girl-10-years.png");
export const dicom = join(root, "fixtures/dicom/explicit.dcm");
export const boy = join(root, "examples/boy-13-years.png");

/** Starts the program on a folder of its own; `users` are names with roles, and switch logins on. */
export async function serve({ users = {} } = {}) {
  if (!existsSync(boneage)) throw new Error(`${boneage} is not there; hint: cargo build -p boneage`);
  const folder = mkdtempSync(join(tmpdir(), "boneage-page-"));
  const place = ["--data", join(folder, "data")];
  for (const [name, role] of Object.entries(users)) {
    const added = spawnSync(boneage, ["users", "add", name, "--role", role, ...place], { input: "four words will do\n" });
    if (added.status !== 0) throw new Error(added.stderr.toString());
  }
  const settings = join(folder, "boneage.toml");
  writeFileSync(settings, `[access]\nlogin = ${Object.keys(users).length > 0}\n`);
  const child = spawn(boneage, ["serve", "--config", settings, "--listen", "127.0.0.1:0", ...place]);
  let log = "";
  child.stderr.on("data", (bytes) => (log += bytes));
  const address = await new Promise((told, failed) => {
    child.stdout.once("data", (bytes) => told(bytes.toString().trim()));
    child.once("exit", () => failed(new Error(log)));
  });
  return {
    address,
    log: () => log,
    async stop() {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** A page at the address, until the test `t` ends; whatever goes wrong in it without being caught fails the test. */
export async function open(t, address, { width = 1280, height = 800, colorScheme = "light", locale = "en-GB", hasTouch = false } = {}) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // Everything runs as root in CI, where Chromium's sandbox does not.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, locale, hasTouch });
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // The answers that are no success are told on the page, and here as well.
    if (message.type() === "error" && !message.text().includes("Failed to load resource")) faults.push(message.text());
  });
  if (process.env.DIST) await fromDisk(page, address);
  await page.goto(address);
  return {
    page,
    async close() {
      await browser.close();
      if (faults.length > 0) throw new Error(faults.join("\n"));
    },
  };
}

/** The page's files as they lie in `web/dist` rather than in the program, for those who work on the page alone. */
async function fromDisk(page, address) {
  for (const [path, file] of [["/", "index.html"], ["/app.js", "app.js"], ["/app.css", "app.css"]]) {
    await page.route(address + path, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, status: 200, body: readFileSync(join(root, "web/dist", file)) });
    });
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds that keeps people out. */
export async function serious(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Drops files on the page, as a mouse would. */
export async function drop(page, name, bytes) {
  const data = await page.evaluateHandle(
    ([name, base64]) => {
      const raw = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([raw], name));
      return data;
    },
    [name, bytes.toString("base64")],
  );
  await page.dispatchEvent(".viewer", "drop", { dataTransfer: data });
}

/** Keeps a picture of the page where SCREENSHOTS says, for people who judge how it looks. */
export async function shoot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
}

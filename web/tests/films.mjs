// Films as DICOM, made of the examples.

import { readFileSync } from "node:fs";

/** The greys of a picture, decoded by the browser. */
async function greys(page, path) {
  const told = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let text = "";
    for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at]);
    return { width: bitmap.width, height: bitmap.height, text: btoa(text) };
  }, readFileSync(path).toString("base64"));
  return { width: told.width, height: told.height, pixels: Buffer.from(told.text, "base64") };
}

/** The picture at `path` turned by quarters clockwise, as DICOM of a girl born on 2014-03-20 whose study was on `day`. */
export async function dicomFilm(page, path, { day, patient = "4711", quarters = 0 }) {
  let { width, height, pixels } = await greys(page, path);
  for (let i = 0; i < quarters; i++) {
    const turned = Buffer.alloc(pixels.length);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) turned[x * height + height - 1 - y] = pixels[y * width + x];
    [width, height, pixels] = [height, width, turned];
  }
  const even = (bytes, by) => (bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([by])]));
  const element = (group, number, vr, value) => {
    const head = Buffer.alloc(vr === "OB" ? 12 : 8);
    head.writeUInt16LE(group, 0);
    head.writeUInt16LE(number, 2);
    head.write(vr, 4, "latin1");
    if (vr === "OB") head.writeUInt32LE(value.length, 8);
    else head.writeUInt16LE(value.length, 6);
    return Buffer.concat([head, value]);
  };
  const text = (vr, value) => even(Buffer.from(value), vr === "UI" ? 0 : 0x20);
  const word = (value) => Buffer.from([value & 255, value >> 8]);
  const study = `1.2.826.0.1.3680043.10.543.${day}${quarters}`;
  const syntax = element(2, 0x10, "UI", text("UI", "1.2.840.10008.1.2.1"));
  const rows = [
    [8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.1.1"],
    [8, 0x18, "UI", `${study}.1`],
    [8, 0x20, "DA", day],
    [8, 0x60, "CS", "DX"],
    [0x10, 0x10, "PN", "Doe^Jane"],
    [0x10, 0x20, "LO", patient],
    [0x10, 0x30, "DA", "20140320"],
    [0x10, 0x40, "CS", "F"],
    [0x18, 0x15, "CS", "HAND"],
    [0x20, 0x0d, "UI", study],
    [0x20, 0x0e, "UI", `${study}.2`],
    [0x28, 0x04, "CS", "MONOCHROME2"],
  ];
  const sizes = [[0x02, 1], [0x10, height], [0x11, width], [0x100, 8], [0x101, 8], [0x102, 7], [0x103, 0]];
  const parts = [
    ...rows.map(([group, number, vr, value]) => [(group << 16) | number, element(group, number, vr, text(vr, value))]),
    ...sizes.map(([number, value]) => [(0x28 << 16) | number, element(0x28, number, "US", word(value))]),
  ];
  parts.sort(([a], [b]) => a - b);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(syntax.length);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    element(2, 0, "UL", length),
    syntax,
    ...parts.map(([, bytes]) => bytes),
    element(0x7fe0, 0x10, "OB", even(pixels, 0)),
  ]);
}

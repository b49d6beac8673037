import { h } from "./dom.ts";
import { type Filled, type Key, type Language, LANGUAGES } from "./messages/mod.ts";

/** Where the choice is kept in this browser. */
const KEPT = "language";

const known = (word: string): word is Language => Object.hasOwn(LANGUAGES, word);

/** The language that was chosen here, else the first of the browser's that the page knows, else English. */
function preferred(): Language {
  const kept = localStorage.getItem(KEPT) ?? "";
  const wanted = [kept, ...navigator.languages].map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find(known) ?? "en";
}

let language = preferred();

function speak(chosen: Language): void {
  language = chosen;
  document.documentElement.lang = chosen;
}
speak(language);

/** The browser's own tag where it is of this language, as numbers and dates differ by country. */
const locale = (): string => navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;

/** A text of the page, with its words in braces filled in. */
export function t<K extends Key>(key: K, ...[filled]: [keyof Filled<K>] extends [never] ? [] : [Filled<K>]): string {
  return fill(LANGUAGES[language].page[key], filled ?? {});
}

/** A sentence of the service in this language, by its code or status; null where its own English one is to be told. */
export function translated(code: string, numbers: string[] = []): string | null {
  const service: Record<string, string> | null = LANGUAGES[language].service;
  const text = service?.[code];
  if (text === undefined) return null;
  const filled = fill(text, Object.fromEntries(numbers.entries()));
  // The service's sentence has fewer numbers than this one tells.
  return filled.includes("{") ? null : filled;
}

function fill(text: string, filled: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => (name in filled ? String(filled[name]) : hole));
}

/** A number as people here write it, with a true minus. */
export const number = (value: number, options: Intl.NumberFormatOptions = {}): string =>
  new Intl.NumberFormat(locale(), options).format(value).replace("-", "\u2212");

export const tenths = (value: number): string => number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** `7 months`, in two parts: the number and its word. */
export function inWords(count: number, unit: "year" | "month"): [string, string] {
  const format = new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" });
  const parts = format.formatToParts(count);
  const of = (wanted: string): string => parts.find((part) => part.type === wanted)?.value ?? "";
  return [of("integer"), of("unit")];
}

/** A moment or a day as people here write it. */
export const dated = (at: Date, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(locale(), options).format(at);

/** The menu of languages; `changed` draws the page anew. */
export function languageMenu(changed: () => void): HTMLElement {
  const menu = h("select", { class: "language", "aria-label": t("page.language") });
  for (const [word, { name }] of Object.entries(LANGUAGES)) {
    menu.append(h("option", { value: word, lang: word, selected: word === language }, name));
  }
  menu.onchange = () => {
    if (!known(menu.value)) return;
    localStorage.setItem(KEPT, menu.value);
    speak(menu.value);
    changed();
  };
  return menu;
}

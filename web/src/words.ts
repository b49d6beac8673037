import type { Film, Flag, Sex } from "./api.ts";
import { Refusal } from "./api.ts";
import { dated, inWords, number, t, tenths, translated } from "./language.ts";

/** Whole years and months, as the program says them everywhere. */
export function yearsAndMonths(months: number): [number, number] {
  const whole = Math.round(months);
  return [Math.floor(whole / 12), whole % 12];
}

/** `7 months` */
export const monthsInWords = (months: number): string => inWords(months, "month").join(" ");

/** `10 years 7 months` */
export function age(months: number): string {
  const [years, rest] = yearsAndMonths(months);
  return `${inWords(years, "year").join(" ")} ${monthsInWords(rest)}`;
}

/** `10 y 7 m`, which no line breaks. */
export function shortAge(months: number): string {
  const [years, rest] = yearsAndMonths(months);
  return t("age.short", { years: number(years), months: number(rest) }).replaceAll(" ", "\u00a0");
}

export const range = ({ lower, upper }: { lower: number; upper: number }): string =>
  t("reading.range", { from: shortAge(lower), to: shortAge(upper) });

/** `+1.2`, `−0.3` */
export function signed(value: number): string {
  const sign = Math.abs(value) < 0.05 ? "" : value < 0 ? "\u2212" : "+";
  return sign + tenths(Math.abs(value));
}

export const sexWord = (sex: Sex | null): string =>
  t(sex === null ? "film.sexUnknown" : sex === "female" ? "film.girl" : "film.boy");

/** What a film is called: the name of its file, or the beginning of its id where no names are kept. */
export const title = (film: Film): string => film.name || t("film.untitled", { id: film.id.slice(0, 8) });

/** What became of a film, in a word, and how serious it is. */
export function standing(film: Film): { word: string; tone: "calm" | "good" | "warn" | "bad" } {
  if (film.state === "failed") return { word: t("film.failed"), tone: "bad" };
  if (film.state !== "done") return { word: t(`film.${film.state}`), tone: "calm" };
  if (film.review !== null) return { word: t(`film.${film.review.verdict}`), tone: "good" };
  switch (film.reading?.decision) {
    case "refused":
      return { word: t("film.refused"), tone: "bad" };
    case "flagged":
      return { word: t("film.flagged"), tone: "warn" };
    default:
      return { word: t("film.clear"), tone: "calm" };
  }
}

/** A moment as people here write it. */
export const moment = (text: string): string => dated(new Date(text), { dateStyle: "medium", timeStyle: "short" });

/** The same, shorter for what is of today. */
export function shortMoment(text: string): string {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return dated(at, today ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" });
}

/** A flag's sentence: in this language where it has one, else as the service tells it. */
export function flagSentence({ code, message }: Flag): Sentence {
  const numbers = message.match(/\d+(?:\.\d+)?/g) ?? [];
  const here = translated(`flag.${code}`, numbers.map((digits) => number(Number(digits))));
  return here === null ? inEnglish(message) : { text: here, lang: null };
}

/** What went wrong, for people. */
export function fault(error: unknown): string {
  if (!(error instanceof Refusal)) return error instanceof Error ? error.message : String(error);
  return translated(`refusal.${error.status}`) ?? capital(error.message);
}

/** A sentence, and its language where that is not the page's. */
export interface Sentence {
  text: string;
  lang: "en" | null;
}

/** A sentence of the service, which begins small, as it may stand within others. */
export const inEnglish = (text: string): Sentence => ({ text: capital(text), lang: "en" });

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

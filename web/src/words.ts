import type { Film, Sex } from "./api.ts";

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;

/** Whole years and months, as the program says them everywhere. */
export function yearsAndMonths(months: number): [number, number] {
  const whole = Math.round(months);
  return [Math.floor(whole / 12), whole % 12];
}

/** `10 years 7 months` */
export function age(months: number): string {
  const [years, rest] = yearsAndMonths(months);
  return `${plural(years, "year")} ${plural(rest, "month")}`;
}

/** `10 y 7 m` */
export function shortAge(months: number): string {
  const [years, rest] = yearsAndMonths(months);
  return `${years} y ${rest} m`;
}

export const sexWord = (sex: Sex | null): string =>
  sex === null ? "Sex unknown" : sex === "female" ? "Girl" : "Boy";

/** What a film is called: the name of its file, or the beginning of its id where no names are kept. */
export const title = (film: Film): string => film.name || `Film ${film.id.slice(0, 8)}`;

/** What became of a film, in a word, and how serious it is. */
export function standing(film: Film): { word: string; tone: "calm" | "good" | "warn" | "bad" } {
  if (film.state === "skipped") return { word: "Not for us", tone: "calm" };
  if (film.state === "failed") return { word: "Unreadable", tone: "bad" };
  if (film.state !== "done") return { word: film.state === "queued" ? "Waiting" : "Reading", tone: "calm" };
  if (film.review !== null) {
    return { word: film.review.verdict === "accepted" ? "Accepted" : "Overruled", tone: "good" };
  }
  switch (film.reading?.decision) {
    case "refused":
      return { word: "Refused", tone: "bad" };
    case "flagged":
      return { word: "Look twice", tone: "warn" };
    default:
      return { word: "No flags", tone: "calm" };
  }
}

/** A moment as people here write it. */
export function moment(text: string): string {
  const options = { dateStyle: "medium", timeStyle: "short" } as const;
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(text));
}

/** The same, shorter for what is of today. */
export function shortMoment(text: string): string {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  const options: Intl.DateTimeFormatOptions = today
    ? { hour: "2-digit", minute: "2-digit" }
    : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat("en-GB", options).format(at);
}

/** The service's sentences begin small, as they may stand within others. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

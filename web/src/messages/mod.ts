import type { FlagCode } from "../api.ts";
import { de, deService } from "./de.ts";
import { en } from "./en.ts";
import { es, esService } from "./es.ts";

export type Key = keyof typeof en;
/** The page in a language: a name too few or too many is an error of the compiler. */
export type Messages = Record<Key, string>;

type Status = 400 | 401 | 403 | 404 | 408 | 409 | 413 | 429 | 500 | 503;
/**
 * What the service says in English: flags, told by their code with the numbers of its own sentence in their order,
 * and refusals, told by their status.
 */
export type Service = Record<`flag.${FlagCode}` | `refusal.${Status}`, string>;

/** What is filled into a message: the words in braces. */
type Holes<Text extends string> = Text extends `${string}{${infer Hole}}${infer Rest}` ? Hole | Holes<Rest> : never;
export type Filled<K extends Key> = Record<Holes<(typeof en)[K]>, string | number>;

/** One language: what it calls itself, the page, and the service's sentences where those are not its own. */
interface Spoken {
  name: string;
  page: Messages;
  service: Service | null;
}

export const LANGUAGES = {
  en: { name: "English", page: en, service: null },
  de: { name: "Deutsch", page: de, service: deService },
  es: { name: "Español", page: es, service: esService },
} as const satisfies Record<string, Spoken>;
export type Language = keyof typeof LANGUAGES;

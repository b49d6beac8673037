import { t } from "./language.ts";

/** The service's answers, as its OpenAPI document describes them, as far as the page uses them. */

/** As `FlagCode` of crates/core has them. */
export type FlagCode =
  | "sex_unknown"
  | "other_sex"
  | "hand_not_found"
  | "hand_cut"
  | "not_a_hand"
  | "unusual_image"
  | "turned"
  | "by_hand"
  | "two_hands"
  | "full_grown"
  | "low_resolution"
  | "low_contrast"
  | "polarity_inverted"
  | "polarity_contradiction"
  | "exif_turned"
  | "colour"
  | "colour_picture"
  | "outside_training_range"
  | "sex_contradiction"
  | "not_hand_by_header"
  | "hand_not_named"
  | "right_hand"
  | "first_frame"
  | "storage_contradiction"
  | "window_ignored"
  | "pixels_not_square";

export interface Flag {
  code: FlagCode;
  message: string;
}

export interface Reading {
  months: number | null;
  interval: { lower: number; upper: number; level: number } | null;
  decision: "accepted" | "flagged" | "refused";
  flags: Flag[];
  sex: Sex | null;
  sex_source: "given" | "header" | "unknown";
  chronological_age: { months: number; source: "dates" | "stated" } | null;
  standing: { difference: number; sds: number | null; reference: string } | null;
  study_date: string | null;
  dicom: boolean;
  by_hand: { turn: number; mirrored: boolean; crop: unknown } | null;
  model: { name: string; digest: string };
  width: number;
  height: number;
  attention: boolean;
  hand: boolean;
  duration_ms: number;
  version: string;
}

export interface Review {
  verdict: "accepted" | "overruled";
  months: number | null;
  comment: string;
  by: string;
  at: string;
}

export interface Film {
  id: string;
  state: "queued" | "leased" | "done" | "failed" | "skipped";
  name: string;
  sex: Sex | null;
  received_at: string;
  read_at: string | null;
  failure: string | null;
  reading: Reading | null;
  review: Review | null;
  months: number | null;
}

/** How a film is to be read again: turned clockwise by degrees, then mirrored, then cut. */
export interface Wish {
  turn: number;
  mirrored: boolean;
  crop: { left: number; top: number; width: number; height: number } | null;
}

/** The studies of a film's patient, by age. */
export interface History {
  patient_known: boolean;
  studies: Study[];
}

export interface Study {
  film: string;
  this: boolean;
  study_date: string | null;
  chronological_age: number | null;
  months: number | null;
  overruled: boolean;
  interval: { lower: number; upper: number; level: number } | null;
  sds: number | null;
}

/** What bone age is usual at which age, in months. */
export interface ReferenceTable {
  name: string;
  source: string;
  female: Usual[];
  male: Usual[];
}

export interface Usual {
  age: number;
  mean: number;
  sd: number;
}

export type Sex = "female" | "male";
export type Role = "viewer" | "reader" | "admin";

export interface Me {
  login: boolean;
  name: string | null;
  role: Role | null;
  csrf: string | null;
  model: string | null;
  version: string;
}

export interface Worklist {
  films: Film[];
  total: number;
  page: number;
  per_page: number;
}

/** An answer that is no success, in the service's own words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

let csrf: string | null = null;

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (csrf !== null && init.method !== undefined) headers.set("x-csrf-token", csrf);
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, { ...init, headers });
  } catch {
    throw new Refusal(0, t("refusal.0"));
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  const told = (body as { error?: string } | null)?.error;
  throw new Refusal(response.status, told ?? t("refusal.other", { status: response.status }));
}

async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (await ask(path, init)).json()) as T;
}

function sending(method: string, body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function identified(me: Me): Me {
  csrf = me.csrf;
  return me;
}

export const me = async (): Promise<Me> => identified(await json<Me>("me"));

export const login = async (name: string, password: string): Promise<Me> =>
  identified(await json<Me>("login", sending("POST", { name, password })));

export async function logout(): Promise<void> {
  await ask("logout", { method: "POST" });
  csrf = null;
}

export function films(search: string, reviewed: boolean | null, page: number): Promise<Worklist> {
  const query = new URLSearchParams({ search, page: String(page), per_page: "50" });
  if (reviewed !== null) query.set("reviewed", String(reviewed));
  return json<Worklist>(`films?${query}`);
}

/** One film; with patience, once it is read or failed. */
export const film = (id: string, patience_ms = 0): Promise<Film> =>
  json<Film>(`films/${encodeURIComponent(id)}?wait_ms=${patience_ms}`);

/** Has a film read again, as a person lays it down or else the automatic way. */
export const readAgain = (id: string, wish: Wish | null): Promise<Film> =>
  json<Film>(`films/${encodeURIComponent(id)}/readings`, sending("POST", wish ?? {}));

/** Readings that others have taken the place of, newest first. */
export const former = async (id: string): Promise<Reading[]> => {
  const { readings } = await json<{ readings: { reading: Reading }[] }>(`films/${encodeURIComponent(id)}/readings`);
  return readings.map(({ reading }) => reading);
};

export const history = (id: string): Promise<History> => json<History>(`films/${encodeURIComponent(id)}/history`);

let table: Promise<ReferenceTable> | null = null;

/** The reference of the service's settings, asked for once. */
export function reference(): Promise<ReferenceTable> {
  table ??= json<ReferenceTable>("reference").catch((error: unknown) => {
    table = null;
    throw error;
  });
  return table;
}

export function upload(file: File, sex: Sex | null): Promise<Film> {
  const form = new FormData();
  form.set("sex", sex ?? "");
  form.set("file", file, file.name);
  return json<Film>("films", { method: "POST", body: form });
}

export const review = (
  id: string,
  said: { verdict: "accepted" | "overruled"; months?: number; comment: string },
): Promise<Film> => json<Film>(`films/${encodeURIComponent(id)}/review`, sending("PUT", said));

export async function takeBack(id: string): Promise<void> {
  await ask(`films/${encodeURIComponent(id)}/review`, { method: "DELETE" });
}

/** Where the reading lies as a file. */
export const result = (id: string, name: string): string => `/api/v1/films/${encodeURIComponent(id)}/results/${name}`;

export async function picture(id: string, name: "image" | "attention" | "hand"): Promise<ImageBitmap> {
  const response = await ask(`films/${encodeURIComponent(id)}/${name}.png`);
  return createImageBitmap(await response.blob());
}

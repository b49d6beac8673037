import type { Film, History, ReferenceTable, Sex, Study, Usual } from "./api.ts";
import * as api from "./api.ts";
import { h, svg } from "./dom.ts";
import { dated, number, t } from "./language.ts";
import { range, shortAge, signed } from "./words.ts";

/** The studies of a film's patient: bone age against chronological age beside what is usual, and the same as a table. */
export class Growth {
  readonly element = h("section", { class: "growth", "aria-label": t("growth.title") });
  private shown = "";

  constructor(private readonly failed: (error: unknown) => void) {}

  /** Shows the patient of a film that is read; asks anew only when the film has changed. */
  show(film: Film): void {
    const now = [film.id, film.read_at, film.review?.at].join(" ");
    if (now === this.shown) return;
    this.shown = now;
    this.element.replaceChildren();
    void this.load(film, now);
  }

  private async load(film: Film, now: string): Promise<void> {
    try {
      const [history, reference] = await Promise.all([api.history(film.id), api.reference()]);
      if (now === this.shown) this.render(history, reference, film.reading?.sex ?? null);
    } catch (error) {
      this.shown = "";
      this.failed(error);
    }
  }

  private render(history: History, reference: ReferenceTable, sex: Sex | null): void {
    const others = history.studies.filter((study) => !study.this);
    const dots = history.studies.filter(isDot);
    const parts: Node[] = [h("h3", {}, t("growth.title"))];
    if (dots.length > 0) {
      const usual = sex === null ? [] : reference[sex];
      parts.push(chart(dots, usual), h("p", { class: "quiet" }, bandsInWords(reference, usual)));
    } else {
      const aged = history.studies.some((study) => study.chronological_age !== null);
      parts.push(h("p", { class: "quiet" }, t(aged ? "growth.noBoneAge" : "growth.noAge")));
    }
    if (others.length === 0) parts.push(h("p", { class: "quiet" }, t(history.patient_known ? "growth.none" : "growth.noPatient")));
    if (dots.length + others.length > 0) parts.push(table(history.studies));
    this.element.replaceChildren(...parts);
  }
}

/** A study with both ages: it has a place on the chart. */
type Dot = Study & { chronological_age: number; months: number };
const isDot = (study: Study): study is Dot => study.chronological_age !== null && study.months !== null;

function bandsInWords({ name }: ReferenceTable, usual: Usual[]): string {
  const [first, last] = [usual[0], usual.at(-1)];
  if (first === undefined || last === undefined) return t("growth.noBands");
  return t("growth.bands", { reference: name, range: range({ lower: first.age, upper: last.age }) });
}

/** The chart's field, and the room around it for words, in its own units. */
const FIELD = { left: 24, top: 20, side: 256 };
/** Least number of years that are shown, so that a single study has its surroundings. */
const LEAST_YEARS = 6;

/** Both axes have the same years, so that the line of the same age is a diagonal. */
function chart(dots: Dot[], usual: Usual[]): SVGElement {
  const ages = dots.flatMap((dot) => [dot.chronological_age, dot.months, dot.interval?.lower ?? dot.months, dot.interval?.upper ?? dot.months]);
  let first = Math.max(0, Math.floor(Math.min(...ages) / 12 - 0.5));
  const last = Math.max(first + LEAST_YEARS, Math.ceil(Math.max(...ages) / 12 + 0.5));
  first = Math.max(0, Math.min(first, last - LEAST_YEARS));
  const { left, top, side } = FIELD;
  const x = (months: number): number => (side * (months / 12 - first)) / (last - first);
  const y = (months: number): number => side - x(months);
  // A drawing within the drawing ends at its own edges.
  const field = svg("svg", { x: left, y: top, width: side, height: side }, ...bands(usual, x, y));
  const rim: Node[] = [];
  const step = last - first > 9 ? 2 : 1;
  for (let year = first; year <= last; year++) {
    const at = x(12 * year);
    field.append(
      svg("line", { class: "grid", x1: at, x2: at, y1: 0, y2: side }),
      svg("line", { class: "grid", x1: 0, x2: side, y1: side - at, y2: side - at }),
    );
    if ((year - first) % step !== 0) continue;
    const word = number(year);
    rim.push(
      svg("text", { x: left + at, y: top + side + 13, "text-anchor": "middle" }, document.createTextNode(word)),
      svg("text", { x: left - 5, y: top + side - at + 4, "text-anchor": "end" }, document.createTextNode(word)),
    );
  }
  field.append(svg("line", { class: "same", x1: 0, y1: side, x2: side, y2: 0 }));
  if (dots.length > 1) {
    const path = dots.map((dot) => `${x(dot.chronological_age)},${y(dot.months)}`).join(" ");
    field.append(svg("polyline", { class: "way", points: path }));
  }
  // This study lies above the others.
  for (const dot of [...dots].sort((a, b) => Number(a.this) - Number(b.this))) {
    const [at, up] = [x(dot.chronological_age), y(dot.months)];
    const kind = dot.this ? "dot this" : "dot";
    if (dot.interval !== null) {
      const ends = [y(dot.interval.lower), y(dot.interval.upper)];
      const [lower, upper] = ends as [number, number];
      field.append(svg("path", { class: dot.this ? "whisker this" : "whisker", d: `M${at} ${lower}V${upper}M${at - 4} ${lower}h8M${at - 4} ${upper}h8` }));
    }
    field.append(
      dot.overruled
        ? svg("rect", { class: kind, x: at - 4.5, y: up - 4.5, width: 9, height: 9 })
        : svg("circle", { class: kind, cx: at, cy: up, r: dot.this ? 5.5 : 4.5 }),
    );
  }
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${left + side + 6} ${top + side + 34}`, role: "img", "aria-label": t("growth.alt") },
    field,
    svg("rect", { class: "frame", x: left, y: top, width: side, height: side }),
    ...rim,
    svg("text", { x: 0, y: 11 }, document.createTextNode(t("growth.boneAge"))),
    svg("text", { x: left + side, y: top + side + 30, "text-anchor": "end" }, document.createTextNode(t("growth.age"))),
  );
}

/** One and two standard deviations about the mean, from the table's first age to its last and no further. */
function bands(usual: Usual[], x: (months: number) => number, y: (months: number) => number): Node[] {
  if (usual.length === 0) return [];
  const band = (deviations: number): Node => {
    const edge = (sign: number): string[] => usual.map(({ age, mean, sd }) => `${x(age)},${y(mean + sign * deviations * sd)}`);
    return svg("polygon", { class: `band sd${deviations}`, points: [...edge(1), ...edge(-1).reverse()].join(" ") });
  };
  // Spreads about the age itself have no mean of their own.
  if (usual.every(({ age, mean }) => age === mean)) return [band(2), band(1)];
  const mean = usual.map((row) => `${x(row.age)},${y(row.mean)}`).join(" ");
  return [band(2), band(1), svg("polyline", { class: "mean", points: mean })];
}

function table(studies: Study[]): HTMLElement {
  const column = (text: string): HTMLElement => h("th", { scope: "col" }, text);
  const row = (study: Study): HTMLElement => {
    const day = study.study_date === null ? t("growth.someDay") : dated(new Date(`${study.study_date}T12:00`), { year: "numeric", month: "2-digit", day: "2-digit" });
    const age = study.chronological_age;
    const months = study.months === null ? "–" : shortAge(study.months);
    const beside = study.overruled ? t("growth.overruled") : study.interval === null ? null : range(study.interval);
    return h(
      "tr",
      { class: study.this ? "this" : null, "aria-current": study.this ? "true" : null },
      h("th", { scope: "row" }, study.this ? day : h("a", { href: `#/films/${study.film}` }, day), age === null ? null : h("small", {}, shortAge(age))),
      h("td", {}, months, beside === null ? null : h("small", {}, beside)),
      h("td", {}, study.sds === null ? "–" : signed(study.sds)),
    );
  };
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, column(t("growth.day")), column(t("growth.boneAgeShort")), column(t("growth.sd")))),
    h("tbody", {}, ...studies.map(row)),
  );
}

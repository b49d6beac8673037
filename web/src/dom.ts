/** What an element is made with: attributes, and handlers under `on` names. */
type Properties = Record<string, string | number | boolean | null | ((event: never) => void)>;
type Child = Node | string | null;

/** An element with its properties and children. Text is always text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  set(element, properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The same for SVG. */
export function svg(tag: string, properties: Properties = {}, ...children: Node[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(element, properties);
  element.append(...children);
  return element;
}

function set(element: Element, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** An icon of strokes in a field of 24 x 24. */
export function icon(path: string): SVGElement {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: path }));
}

/** A choice among a few words, as buttons of which one is pressed. */
export function choice<T extends string>(
  label: string,
  words: [T, string][],
  chosen: T,
  choose: (word: T) => void,
): HTMLElement {
  const group = h("div", { class: "choice", role: "group", "aria-label": label });
  for (const [word, text] of words) {
    const press = (): void => {
      for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
      choose(word);
    };
    const button = h("button", { type: "button", "aria-pressed": String(word === chosen), onclick: press }, text);
    group.append(button);
  }
  return group;
}

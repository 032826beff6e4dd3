// <quoth-ask key="quoth_..." collection="...">: a question box for the pages of other web sites, which the server must allow
// (QUOTH_EMBED_ORIGINS). It sends no cookies and stores nothing; answers are shown as text, never as markup.

const BASE = new URL("..", import.meta.url);
const STYLE = `
  :host { display: block; color-scheme: light dark; color: light-dark(#1d2126, #e9e6df); font: 1rem/1.55 system-ui, sans-serif; }
  form { display: flex; gap: 0.5rem; padding: 0.4rem; border: 1px solid light-dark(#e3dfd6, #2c3238); border-radius: 0.9rem; background: light-dark(#fff, #1b1f23); }
  form:focus-within { border-color: light-dark(#1f5f5b, #7fd0c6); }
  input { flex: 1; min-width: 0; padding: 0.4rem 0.6rem; border: 0; outline: 0; background: none; color: inherit; font: inherit; }
  button { min-height: 2.4rem; padding: 0 1rem; border: 0; border-radius: 0.6rem; background: light-dark(#1f5f5b, #7fd0c6); color: light-dark(#fff, #0f1a19); font: inherit; font-weight: 600; cursor: pointer; }
  .prose { margin: 1rem 0 0; font: 1.1rem/1.6 ui-serif, Palatino, Georgia, serif; overflow-wrap: anywhere; }
  .refused, .problem { margin: 1rem 0 0; padding: 0.6rem 0.9rem; border-left: 3px solid light-dark(#8a5300, #f0c173); background: light-dark(#fdf3e1, #2b2312); }
  sup { margin-left: 0.15em; color: light-dark(#1f5f5b, #7fd0c6); font: 600 0.7em system-ui, sans-serif; }
  ol { display: grid; gap: 0.6rem; margin: 1rem 0 0; padding: 0; list-style: none; font-size: 0.9rem; }
  li { display: grid; grid-template-columns: 1.5rem 1fr; }
  li > span { color: light-dark(#1f5f5b, #7fd0c6); font-weight: 600; }
  a { color: inherit; font-weight: 600; }
  blockquote { margin: 0.15rem 0 0; font-family: ui-serif, Palatino, Georgia, serif; overflow-wrap: anywhere; }
  mark { background: light-dark(#fff1bd, #443a14); color: inherit; }
`;

class QuothAsk extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return;
    const shadow = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // works under a policy of the page that forbids inline styles
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
    const wanted = [this.lang, document.documentElement.lang, ...navigator.languages].map((tag) => tag.split("-")[0].toLowerCase());
    this.words = (await (await fetch(new URL(`assets/phrases.json?wanted=${encodeURIComponent(wanted)}`, BASE))).json()).phrases;
    this.field = make("input", { type: "text", dir: "auto", required: true, placeholder: this.words.ask_question });
    this.field.setAttribute("aria-label", this.words.question);
    this.button = make("button", { textContent: this.words.ask });
    this.answer = make("div", {});
    this.answer.setAttribute("aria-live", "polite");
    const form = make("form", {}, this.field, this.button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.running) this.running.abort();
      else this.ask(this.field.value.trim());
    });
    shadow.append(form, this.answer);
  }

  async ask(question) {
    if (!question) return;
    this.running = new AbortController();
    this.button.textContent = this.words.stop;
    this.answer.replaceChildren(make("p", { className: "prose", textContent: this.words.looking }));
    try {
      this.show(await this.fetch(question));
    } catch (problem) {
      const said = problem.name === "AbortError" ? this.words.stopped_early : problem.name === "TypeError" ? this.words.unreachable : problem.message;
      this.answer.replaceChildren(make("p", { className: "problem", textContent: said }));
    } finally {
      this.running = null;
      this.button.textContent = this.words.ask;
    }
  }

  async fetch(question) {
    const collection = this.getAttribute("collection");
    const response = await fetch(new URL("v1/chat", BASE), {
      method: "POST",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.getAttribute("key") ?? ""}` },
      body: JSON.stringify({ question, ...(collection && { collection }) }),
      signal: this.running.signal,
    });
    const told = await response.json();
    if (!response.ok) throw new Error(told.code === "key-invalid" ? this.words.key_rejected : told.detail);
    return told;
  }

  show(answer) {
    if (!answer.sentences.length) {
      this.answer.replaceChildren(make("p", { className: answer.refused ? "refused" : "prose", dir: "auto", textContent: answer.text }));
      return;
    }
    const prose = make("p", { className: "prose", dir: "auto" });
    for (const { text, citations } of answer.sentences) prose.append(text, ...citations.map((number) => make("sup", { textContent: number })), " ");
    this.answer.replaceChildren(prose, make("ol", {}, ...answer.citations.map((citation) => this.source(citation))));
  }

  source(citation) {
    const points = Array.from(citation.quote); // offsets count code points
    const [begin, end] = (citation.highlight ?? [citation.start, citation.start]).map((at) => at - citation.start);
    const query = new URLSearchParams({ collection: this.getAttribute("collection") ?? "", document: citation.document_id, version: citation.version, start: citation.start, end: citation.end });
    const title = make("a", { href: new URL(`view?${query}`, BASE).href, target: "_blank", rel: "noopener noreferrer", textContent: citation.title, dir: "auto" });
    const quote = make("blockquote", { dir: "auto" }, points.slice(0, begin).join(""), make("mark", { textContent: points.slice(begin, end).join("") }), points.slice(end).join(""));
    return make("li", {}, make("span", { textContent: citation.number }), make("div", {}, title, quote));
  }
}

function make(tag, properties, ...children) {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}

customElements.define("quoth-ask", QuothAsk);

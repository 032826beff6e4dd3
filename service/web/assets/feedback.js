// Thumbs for rating an answer or one of its sentences, and a comment box for what is wrong.

import { t } from "./phrases.js";
import { send } from "./server.js";
import { element } from "./text.js";

const MAX_COMMENT = 4000; // UTF-16 units; the server's limit is as many characters
const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M2.5 9h3v8h-3zM7 9l3.2-6.5c1.4 0 2.1.8 2.1 2V8h4.4l-.9 7.2c-.1 1-.9 1.8-1.9 1.8H7z";

const ratings = new Map(); // the latest rating of each answer and sentence that was rated before

// Remember stored feedback, oldest first, so that thumbs made from now on show it.
export function rememberRatings(feedback) {
  for (const { answer_id, sentence, rating } of feedback) ratings.set(`${answer_id} ${sentence}`, rating);
}

export class Thumbs {
  // `sentence` is an index in the answer; null rates the whole answer.
  constructor(answerId, sentence = null) {
    this.answerId = answerId;
    this.sentence = sentence;
    this.what = sentence === null ? "answer" : "sentence";
    this.number = { number: (sentence ?? 0) + 1 };
    this.up = this.thumb("up", t(`good_${this.what}`, this.number));
    this.down = this.thumb("down", t(`bad_${this.what}`, this.number));
    this.status = element("span", { className: "muted", role: "status" });
    const className = sentence === null ? "thumbs" : "thumbs of-sentence";
    this.box = element("span", { className, role: "group", "aria-label": t(`rate_${this.what}`) }, this.up, this.down, this.status);
    this.comment = this.form();
    this.press(ratings.get(`${answerId} ${sentence}`));
  }

  press(rating) {
    this.up.setAttribute("aria-pressed", rating === "up");
    this.down.setAttribute("aria-pressed", rating === "down");
  }

  thumb(rating, name) {
    const button = element("button", { type: "button", className: `quiet thumb ${rating}`, "aria-label": name, "aria-pressed": "false", title: name }, thumbIcon());
    button.addEventListener("click", () => this.rate(rating));
    return button;
  }

  form() {
    const comment = element("input", { type: "text", maxLength: MAX_COMMENT, "aria-label": t(`wrong_${this.what}_label`, this.number), placeholder: t(`wrong_${this.what}`, this.number) });
    const form = element("form", { className: "thumbs-comment", hidden: true }, comment, element("button", { type: "submit", className: "quiet", textContent: t("send") }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.rate("down", comment.value.trim());
    });
    return form;
  }

  async rate(rating, comment = "") {
    try {
      await send("/v1/feedback", { answer_id: this.answerId, rating, comment, ...(this.sentence !== null && { sentence: this.sentence }) });
    } catch (problem) {
      this.status.textContent = problem.message;
      return;
    }
    rememberRatings([{ answer_id: this.answerId, sentence: this.sentence, rating }]);
    this.press(rating);
    this.status.textContent = t("thanks");
    this.comment.hidden = rating === "up" || comment !== "";
    if (!this.comment.hidden) this.comment.firstChild.focus();
  }
}

// A thumb drawn as SVG, which needs no font; the stylesheet turns it over for a thumb down.
function thumbIcon() {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 20 20");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", THUMB);
  picture.append(line);
  return picture;
}

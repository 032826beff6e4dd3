"""Takes a language model's reasoning out of its text, whatever form the model gives it. Pure, in linear time.

Models write reasoning between tags (`<think>`, `<thinking>`, `<reasoning>`, `[THINK]`, ...), sometimes without the opening
or the closing one, or in channels (`<|channel|>analysis<|message|>`). Tags in code are text, and so is a tag that a
sentence talks about: "The tag <think> opens the reasoning."

A text whose first words are reasoning without an opening tag looks like an answer until the closing tag comes. So the text
is held back until a sentence cites a passage and nothing before it sounds like reasoning, or until the end.
"""

import re
from collections.abc import Callable, Iterable, Iterator

_MAX_TOKEN = 200  # code points of the longest tag, with its attributes
_MAX_HEADER = 100
_LOOK_AHEAD = 2  # code points after a tag that show whether a sentence talks about it
_NAMES = (
    "antthinking|think|thinking|thoughts?|reasoning|reason|reflection|analysis|scratchpad|deliberation|rationale"
    "|inner_monologue|inner_thoughts|chain_of_thought|seed:think|seed:cot_budget_reflect"
)
_ANSWERS = "answer|final_answer|final|response"
_REST = r"(?:\s[^<>\n]{0,150})?"
_TOKEN = re.compile(
    rf"""
      (?P<code> (?P<ticks>`{{1,8}})[^`\n]{{1,190}}(?P=ticks)(?!`) )
    | (?P<alone> <(?:{_NAMES}){_REST}/> )
    | (?P<opens> <(?:{_NAMES}){_REST}> | \[(?:THINK|THINKING|REASONING)\] | ◁think▷
        | <\|(?:begin_of_thought|START_THINKING|thinking)\|> | <\|channel>\s?(?:thought|analysis) )
    | (?P<closes> </(?:{_NAMES})\s?> | \[/(?:THINK|THINKING|REASONING)\] | ◁/think▷
        | <\|(?:end_of_thought|END_THINKING|/thinking)\|> | <channel\|> )
    | (?P<answers> <(?:{_ANSWERS}){_REST}> | <\|(?:begin_of_solution|START_RESPONSE)\|> | assistantfinal )
    | (?P<answered> </(?:{_ANSWERS})\s?> | <\|(?:end_of_solution|END_RESPONSE)\|> )
    | (?P<header> <\|(?:start|channel)\|> )
    | (?P<message> <\|message\|> )
    | (?P<ends> <\|(?:end|return|call)\|> )
    | (?P<control> <\|/?[A-Za-z_]{{1,40}}\|> | </?s> | <(?:end|start)_of_turn> )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_KINDS = ("code", "alone", "opens", "closes", "answers", "answered", "header", "message", "ends", "control")
_SPECIAL = re.compile(r"[<\[◁`]|assistantfinal", re.IGNORECASE)
_MAX_TICKS = 8
_FENCE = re.compile(rf"`{{3,{_MAX_TICKS}}}")
_TICKS = re.compile(rf"`{{1,{_MAX_TICKS}}}")
_WORDS = ("[thinking]", "[/thinking]", "[think]", "[/think]", "[reasoning]", "[/reasoning]", "◁think▷", "◁/think▷")
_FINAL = (
    "assistantfinal"  # how channels look when the server leaves their control tokens out: "analysis...assistantfinal"
)
_ANALYSIS = "analysis"
_SENTENCE_GOES_ON = re.compile(r"[^\S\n][a-z]|[^\S\n]?[,;:.!?)\"'”’]")
_MID_SENTENCE = re.compile(r"[\w,;(\"'“‘][^\S\n]*\Z")
_CITES = re.compile(
    r"[\[【{(](?:(?:id|doc|document|source|passage|ref)s?[ :#_]{0,2})?\^?\d{1,3}[^\[\]【】(){}\n]{0,30}[\]】})]",
    re.IGNORECASE,
)
_REASONS = re.compile(
    r"""\b(?:I|We)\b|\b(?i:i['’](?:m|ll|ve|d)|we['’](?:re|ll|ve)|let['’]s|let\ me|okay|ok|alright|hmm+|wait|users?
    |questions?|ask(?:s|ed|ing)?|need(?:s)?\ to|passages?|documents?\ (?:say|state|mention)s?|first|so|now|well|think(?:ing)?
    |thoughts?|step|instructions?|instructed|cite|citations?|answers?|my|me|our|us
    |ich|wir|nutzer|frage|je|nous|utilisateur|usuario|pregunta)\b|好的|嗯|首先|用户|问题|ユーザー|質問""",
    re.VERBOSE,
)


def without_thoughts(
    pieces: Iterable[str], was_cut: Callable[[], bool] = lambda: False, *, whole: bool = False
) -> Iterator[str]:
    """Yield the text that arrives in `pieces` without the model's reasoning; how it is cut into pieces changes nothing.

    `whole`: nothing is yielded before the end, unless the model marks the beginning of its answer. `was_cut` is called
    after the last piece: whether the model was stopped. If it was, text that sounds like reasoning is left out: it would
    have ended with a closing tag.
    """
    reader = _Reader(whole=whole)
    for piece in pieces:
        if part := reader.read(piece):
            yield part
    if part := reader.end(was_cut=was_cut()):
        yield part


class _Reader:
    """Reads the text once, from left to right. Text that may yet turn out to be reasoning is held."""

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self._rest = ""  # has arrived, but has not been read
        self._before = ""  # the last of what has been read
        self._mode = "answer"  # or "thought", or "header": between <|start|> or <|channel|> and <|message|>
        self._header = ""
        self._fence = ""
        self._held: list[str] = []
        self._held_tail = ""
        self._is_answer = False  # what is read now is certainly the answer
        self._waits = False
        self._begun = False
        self._out: list[str] = []

    def read(self, piece: str) -> str:
        """The text that is certainly the answer, after this piece."""
        self._rest += piece
        self._scan(final=False)
        return self._taken()

    def end(self, *, was_cut: bool) -> str:
        """The rest of the answer."""
        self._scan(final=True)
        held = "".join(self._held)
        if not (was_cut and _REASONS.search(held)):
            self._out.append(held)
        return self._taken()

    def _taken(self) -> str:
        text = "".join(self._out)
        self._out = []
        return text

    def _scan(self, *, final: bool) -> None:
        if not self._begun and not self._begin(final=final):
            return
        at = 0
        text = self._rest
        while at < len(text):
            special = _SPECIAL.search(text, at)
            stop = special.start() if special else max(at, len(text) - (0 if final else _final_begun(text)))
            self._pass(text[at:stop])
            at = stop
            if special is None:
                break
            if fence := self._fence_at(text, at):
                if not final and fence.end() == len(text) < at + _MAX_TICKS:
                    break
                self._turn_fence(fence[0])
                self._pass(fence[0])
                at = fence.end()
                continue
            token = self._token_at(text, at)
            if token and (final or len(text) >= token.end() + _LOOK_AHEAD):
                self._take(token)
                at = token.end()
            elif not final and not self._fence and (token or _may_grow(text, at)):
                break
            else:
                ticks = _TICKS.match(text, at)
                if ticks and ticks.end() == len(text) < at + _MAX_TICKS and not final:
                    break
                end = ticks.end() if ticks else at + 1
                self._pass(text[at:end])
                at = end
        self._rest = text[at:]

    def _begin(self, *, final: bool) -> bool:
        """Whether enough of the text is there to see if it begins with a channel without its control tokens."""
        start = self._rest.lstrip()
        if not final and len(start) <= len(_ANALYSIS) and _ANALYSIS.startswith(start[: len(_ANALYSIS)]):
            return False
        self._begun = True
        if start.startswith(_ANALYSIS) and start[len(_ANALYSIS) :][:1].isupper():
            self._mode = "thought"
        return True

    def _fence_at(self, text: str, at: int) -> re.Match[str] | None:
        """The mark of a block of code at the beginning of a line of the answer."""
        line = self._before[self._before.rfind("\n") + 1 :]
        return _FENCE.match(text, at) if self._mode == "answer" and not line.strip() else None

    def _token_at(self, text: str, at: int) -> re.Match[str] | None:
        """The tag or the code that begins here. In reasoning, only a tag by itself is code: nothing else matters there."""
        token = None if self._fence else _TOKEN.match(text, at)
        if token and token["code"] and self._mode == "thought" and not _TOKEN.fullmatch(token["code"].strip("` ")):
            return None
        return token

    def _turn_fence(self, mark: str) -> None:
        if not self._fence:
            self._fence = mark
        elif mark.startswith(self._fence):
            self._fence = ""

    def _take(self, token: re.Match[str]) -> None:
        kind = next(name for name in _KINDS if token[name] is not None)
        if kind == "code" or self._is_talked_about(token, kind):
            self._pass(token[0])
            return
        self._before = ""
        if kind in ("header", "message", "ends"):
            self._take_channel(kind)
        elif kind == "opens":
            self._waits = self._mode == "thought"  # two openings have two closings, or one: wait for the second
            self._mode = "thought"
        elif kind == "closes" and self._mode == "thought":
            self._mode = "answer"
        elif kind == "closes":
            self._begin_again(certain=self._is_answer)
        elif kind == "answers":
            self._begin_again(certain=True)

    def _take_channel(self, kind: str) -> None:
        if kind == "header":
            self._header = self._header + " " if self._mode == "header" else ""
            self._mode = "header"
        elif kind == "ends" or self._mode != "header":
            self._mode = "answer"
        elif "final" in self._header:
            self._begin_again(certain=True)
        else:
            self._mode = "answer" if self._header.split() in ([], ["assistant"]) else "thought"

    def _begin_again(self, *, certain: bool) -> None:
        """What is held was reasoning; here the answer begins."""
        self._held, self._held_tail = [], ""
        self._mode, self._is_answer, self._waits = "answer", certain, False

    def _is_talked_about(self, token: re.Match[str], kind: str) -> bool:
        """Whether the tag is a word of a sentence: "The tag </think> closes it". A block that is open is always closed."""
        if self._mode == "thought" and kind == "closes":
            return False
        if kind not in ("opens", "closes", "answers", "answered", "alone"):
            return False
        goes_on = _SENTENCE_GOES_ON.match(token.string, token.end())
        return bool(goes_on and token[0].lower() != _FINAL and _MID_SENTENCE.search(self._before))

    def _pass(self, text: str) -> None:
        """Text that is no tag."""
        if not text:
            return
        self._before = (self._before + text)[-_MAX_TOKEN:]
        if self._mode == "header":
            self._header = (self._header + text.lower())[:_MAX_HEADER]
        elif self._mode == "answer" and self._is_answer:
            self._out.append(text)
        elif self._mode == "answer":
            self._hold(text)

    def _hold(self, text: str) -> None:
        """Hold the text, and let go of all that is held when it cites a passage and does not sound like reasoning."""
        self._held.append(text)
        window = self._held_tail + text
        self._held_tail = window[-60:]
        if self._whole or self._waits:
            return
        if cited := _CITES.search(window):
            held = "".join(self._held)
            self._waits = bool(_REASONS.search(held[: len(held) - len(window) + cited.end()]))
            if not self._waits:
                self._out.append(held)
                self._held, self._is_answer = [], True


def _may_grow(text: str, at: int) -> bool:
    """Whether what begins at `at` may become a tag, or code, with the text to come."""
    part = text[at : at + _MAX_TOKEN]
    if len(part) == _MAX_TOKEN:
        return False
    if part[0] == "<":
        return not any(mark in part[1:] for mark in "<>\n") and (len(part) == 1 or part[1].isalpha() or part[1] in "/|")
    if part[0] == "`":
        return "\n" not in part and not part.strip("`").count("`")
    return any(word.startswith(part.lower()) for word in _WORDS)


def _final_begun(text: str) -> int:
    """How many code points at the end of the text may be the beginning of "assistantfinal"."""
    tail = text[-len(_FINAL) + 1 :].lower()
    return next((len(tail) - n for n in range(len(tail)) if _FINAL.startswith(tail[n:])), 0)

# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C text made fit for the parser, line for line.

What stands in the way of tree-sitter is not C but what the preprocessor makes of it. So this is a
small preprocessor that never moves a line: comments become blanks, the `#if` branches that the
declared configuration does not take become empty lines, macros are taken out and kept, attributes
are blanked, and a `for_each` macro in front of a block becomes a `while` around the macro's call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tools.cdiff.errors import CdiffError

_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*")|('(?:\\.|[^'\\\n])*')|/\*.*?\*/|//[^\n]*""", re.DOTALL
)
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w+)[ \t]*(.*)", re.DOTALL)
_DEFINE = re.compile(r"(\w+)(\(([^)]*)\))?[ \t]*(.*)", re.DOTALL)
_ARCH = re.compile(r"\b(?:IS_ENABLED|IS_BUILTIN|IS_REACHABLE|IS_MODULE|defined)\s*\(\s*(\w+)\s*\)")

# Names that say something to the compiler or to sparse and nothing about what happens.
ATTRIBUTES = frozenset(
    "__rcu __percpu __user __iomem __force __init __exit __initdata __sched __always_inline "
    "__must_check __maybe_unused __always_unused __used __cold __noreturn __malloc __read_mostly "
    "__ro_after_init __cacheline_aligned_in_smp ____cacheline_aligned "
    "____cacheline_aligned_in_smp __aligned_largest asmlinkage noinline noinline_for_stack "
    "notrace inline __inline __randomize_layout __packed __context_unsafe __deprecated "
    "fastcall __visible __weak __private __nocast volatile __no_context_analysis "
    "__kprobes __init_or_module".split()
)
_ATTRIBUTE_CALLS = (
    "__printf __acquires __releases __must_hold __must_hold_shared __acquires_shared "
    "__releases_shared __cond_acquires __cond_lock __attribute__ __aligned __guarded_by "
    "__pt_guarded_by __counted_by __counted_by_ptr __section __nonnull __alloc_size "
    "__assume_ctx_lock __context_unsafe __excludes __must_not_hold __printf_like "
    "__no_capability_analysis __no_sanitize"
).split()
_ATTRIBUTE = re.compile(r"\b(?:" + "|".join(sorted(ATTRIBUTES)) + r")\b(?!\s*\()")
_ATTRIBUTE_CALL = re.compile(r"\b(?:" + "|".join(_ATTRIBUTE_CALLS) + r")\s*\(")
_FOR_EACH = re.compile(r"\b(?:\w*for_each\w*|\w+_until_all_locked|scoped_guard)\s*\(")
_STRUCT_ARGUMENT = re.compile(r"(?<=[(,])(\s*)(struct|union|enum)(\s+\w+(?:\s*\*)*\s*)(?=[,)])")
_CODE_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Macro:
    """A `#define`: `params` is None for one without parentheses; `body` keeps its lines."""

    name: str
    params: tuple[str, ...] | None
    body: str
    line: int
    end: int


@dataclass
class Text:
    """A C file after preprocessing: the same lines, and the macros that were in it, in order."""

    path: str
    code: str
    macros: list[Macro] = field(default_factory=list)


def _blank(text: str) -> str:
    """Spaces in place of everything but line ends."""
    return re.sub(r"[^\n]", " ", text)


def strip_comments(text: str) -> str:
    """The text with every comment blanked; strings and characters stay."""

    def replace(match: re.Match[str]) -> str:
        found = match.group()
        return found if found[0] in "\"'" else _blank(found)

    return _COMMENT.sub(replace, text)


def closing(text: str, start: int) -> int:
    """The index behind the parenthesis that closes the one before `start`."""
    depth = 1
    at = start
    while depth:
        if at >= len(text):
            return -1
        char = text[at]
        if char in "\"'":
            end = at + 1
            while end < len(text) and text[end] != char:
                end += 2 if text[end] == "\\" else 1
            at = end
        depth += (char == "(") - (char == ")")
        at += 1
    return at


def condition(text: str, defined: dict[str, int], where: str) -> bool:
    """The value of a `#if` expression; names that nobody defined are 0, as in C."""
    known = _ARCH.sub(lambda match: str(int(match.group(1) in defined)), text)
    known = re.sub(r"\bdefined\s+(\w+)", lambda match: str(int(match.group(1) in defined)), known)
    known = re.sub(r"\b\d\w*", lambda match: match.group().rstrip("uUlL"), known)
    known = _CODE_NAME.sub(lambda match: f" {defined.get(match.group(), 0)} ", known)
    known = re.sub(r"!(?!=)", " not ", known.replace("&&", " and ").replace("||", " or "))
    if re.fullmatch(r"(?:[\s()\d<>=!+*&|-]|and|or|not)+", known) is None:
        return False
    try:
        return bool(eval(" ".join(known.split()), {"__builtins__": {}}))
    except (SyntaxError, TypeError, ZeroDivisionError):
        raise CdiffError(f"{where}: cannot evaluate '#if {text.strip()}'") from None


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """(number, text) of each line, with continued lines joined; line ends stay inside."""
    lines: list[tuple[int, str]] = []
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        if not parts:
            first = number
        if line.endswith("\\"):
            parts.append(line[:-1] + " ")
            continue
        parts.append(line)
        lines.append((first, "\n".join(parts)))
        parts = []
    if parts:
        lines.append((first, "\n".join(parts)))
    return lines


class _Conditionals:
    """The stack of open `#if`s."""

    def __init__(self) -> None:
        self._open: list[tuple[bool, bool]] = []

    @property
    def live(self) -> bool:
        """True where the text counts."""
        return all(taken for taken, _ in self._open)

    def push(self, taken: bool) -> None:
        """`#if`."""
        self._open.append((taken, taken))

    def turn(self, taken: bool) -> None:
        """`#elif` and `#else`."""
        if self._open:
            _, before = self._open.pop()
            self._open.append((taken and not before, before or taken))

    def pop(self) -> None:
        """`#endif`."""
        if self._open:
            self._open.pop()


def _choose(path: str, text: str, config: dict[str, int]) -> Text:
    """Blank the branches that are not taken, and every directive; collect the macros."""
    defined = dict(config)
    out: list[str] = []
    result = Text(path, "")
    stack = _Conditionals()
    for number, line in _logical_lines(text):
        directive = _DIRECTIVE.match(line)
        if directive is None:
            out.append(line if stack.live else _blank(line))
            continue
        kind, rest = directive.group(1), directive.group(2)
        where = f"{path}:{number}"
        if kind == "if":
            stack.push(stack.live and condition(rest, defined, where))
        elif kind == "ifdef":
            stack.push(rest.split()[0] in defined)
        elif kind == "ifndef":
            stack.push(rest.split()[0] not in defined)
        elif kind == "elif":
            stack.turn(condition(rest, defined, where))
        elif kind == "else":
            stack.turn(True)
        elif kind == "endif":
            stack.pop()
        elif stack.live and kind == "define":
            _define(result, defined, rest, number, number + line.count("\n"))
        elif stack.live and kind == "undef":
            defined.pop(rest.strip(), None)
        out.append(_blank(line))
    result.code = "\n".join(out)
    return result


def _define(result: Text, defined: dict[str, int], rest: str, line: int, end: int) -> None:
    match = _DEFINE.match(rest)
    if match is None:
        return
    name, brackets, names, body = match.groups()
    params = None
    if brackets is not None:
        params = tuple(part.strip() for part in names.split(",") if part.strip())
    lead = rest[: match.start(4)].count("\n")
    result.macros.append(Macro(name, params, "\n" * lead + body, line, end))
    number = re.fullmatch(r"\(?(\d+|0x[0-9a-fA-F]+)[uUlL]*\)?", body.strip())
    defined[name] = int(number.group(1), 0) if number else 1


def _blank_attributes(code: str) -> str:
    code = _ATTRIBUTE.sub(lambda match: " " * len(match.group()), code)
    at = 0
    while (match := _ATTRIBUTE_CALL.search(code, at)) is not None:
        end = closing(code, match.end())
        if end < 0:
            break
        code = code[: match.start()] + _blank(code[match.start() : end]) + code[end:]
        at = match.start()
    return code


def _loops(code: str) -> str:
    """`for_each(x) {` becomes `while (for_each(x)) {`; a macro that is called stays."""
    at = 0
    while (match := _FOR_EACH.search(code, at)) is not None:
        at = match.end()
        before = code[: match.start()].rstrip()
        if before and before[-1] not in ";{}):" and not before.endswith("else"):
            continue
        end = closing(code, match.end())
        if end < 0:
            continue
        code = f"{code[: match.start()]}while ({code[match.start() : end]}){code[end:]}"
        at = match.end() + len("while (")
    return code


def prepare(code: str) -> str:
    """Attributes, struct names in argument lists and loop macros, made parseable."""
    code = _STRUCT_ARGUMENT.sub(
        lambda match: match.group(1) + " " * len(match.group(2)) + match.group(3), code
    )
    code = re.sub(r"\b__label__\b[^;]*;", lambda match: _blank(match.group()), code)
    code = re.sub(r"\boffsetof(\s*\(\s*typeof)", r"OFFSETOF\1", code)
    code = re.sub(r"\bcontext_lock_struct\((\w+)\)", r"struct \1", code)
    code = re.sub(r'\b([A-Z_]{4,})(\s+)(?=[A-Z_]{4,}\s+")', r'\1 ""\2', code)
    return _loops(_blank_attributes(code))


def preprocess(path: str, text: str, config: dict[str, int]) -> Text:
    """A C file for the parser; `config` holds the names that are defined, with their values."""
    result = _choose(path, strip_comments(text), config)
    result.code = prepare(result.code)
    return result

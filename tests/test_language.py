"""Text that users read is in the standard terms of the field, and not in those on the left of ``INSTEAD``."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A regular expression, without regard to case, and what to write instead.
INSTEAD = {
    r"(?<=[0-9}]) %(?![\w(}])": "percent sign without a space",
    r"(?<!support vector )(?<!\bthis )(?<!\byour )(?<!\bsame )(?<!\bon a )(?<!\bon the )(?<!\blocal )\bmachines?\b": (
        "SVM, classifier; this computer"
    ),
    r"\bto learn from\b|\blearns? from\b|\blearnt from\b": "train on; training images",
    r"\bjudge[ds]?\b|\bjudg(?:e?ment|ing)s?\b": "predict, prediction",
    r"\bsa(?:ys?|id) of (?:a|an|the|each|every|it|them|one)\b|\bmodels? sa(?:y|ys|id)\b": "predict, prediction, output",
    r"\balter(?:s|ed|ation|ations)?\b": "augmented, (random) augmentation",
    r"\bfill(?:s|ed|ing)? up\b": "oversample, supplement",
    r"\btop(?:s|ped|ping)?[ -]up\b|\btops?_up\b": "supplement, is_supplement",
    r"\bsides? of (?:the|a) split|\b(?:two|both|which|either) sides?\b|\bon (?:a|one) side\b": "split",
    r"\bsort(?:s|ed|ing)? alone\b|\bsorting\.csv\b": "selective classification",
    r"\bdea(?:l|ls|lt|ling) into\b|\bturn about\b|\bin turns\b": "repeats of cross-validation, alternate",
    r"\blayers between\b": "intermediate layers",
    r"\bwho always (?:names|says)\b": "majority-class baseline",
    r"\b(?:objects?|works?|rows?|records?) (?:that )?(?:came|went|have gone)\b|\b(?:came|went), ": "added, removed",
    r"\bthey part\b|\bpart at\b|\bwhere (?:it|they) parts?\b": "first difference",
    r"\btold\b|\btells?\b|\btelling\b": "report, log, state",
    r"\bbr(?:ing|ings|ought|inging) home\b|\bask(?:s|ed|ing)? (?:a|the) museum\b": "fetch, request",
    r"\blets? (?:\w+ )?pass\b|\blet(?:ting)? through\b": "validate, accept",
    r"\bwhole way\b|\bfrom the number down\b": "provenance chain, end to end",
    r"\bsurroundings\b": "environment",
    r"\blikeness(?:es)?\b": "tolerance, comparison",
    r"(?<!model )\bcards? of (?:a|the|each) (?:record|folder|network|result)\b": "model metadata; model card",
    r"\bpaces?\b": "request rate",
    r"\bcorner (?:of|for) (?:a|the|each|its) (?:museum|source)\b|\bin a corner\b": "source directory",
    r"\bby the root\b|\bclass_weight: root\b": "square root",
    r"\bpictures?\b": "image",
    r"\banew\b": "again",
    r"\bso many\b": "number, at most",
    r"\bat hand\b": "available",
    r"\bst(?:ands?|ood) (?:in|on|at|under|beside|there|for itself)\b": "is",
    r"\balike\b": "the same",
    r"(?<!there )\b(?:is|are) no (?!longer\b|more\b)\w+": "is not a",
}
# Where a word has its ordinary meaning.
ALLOWED = (
    "machine learning",
    "machine-readable",
    "virtual machine",
    "cannot tell",
    "ALTER DATABASE",
    "machine-made",
    'class="picture"',
    "Picture (name, path",  # a table of study A
    "generated pictures, not a real collection",  # in the sample's records, whose bytes stay
    "MODEL.training.class_weight: root",  # a former name, in the error that gives the new one
)
PROSE = re.compile("|".join(f"(?P<w{number}>{word})" for number, word in enumerate(INSTEAD)), re.IGNORECASE)
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "params.yaml", "Makefile")),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("conf/**/*.yml"),
    *ROOT.glob("notebooks/*.ipynb"),
]
SOURCE = ROOT / "src" / "art_pipeline"


def strings_in(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each docstring and each string constant with a space in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    """Yield texts with the number of their first line."""
    if file.suffix == ".py":
        yield from strings_in(file)
    else:
        yield from enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)


def hits_in(file: Path) -> Iterator[str]:
    """Yield each use of a word to avoid, with its place and what to write instead."""
    replacements = list(INSTEAD.values())
    for first, text in texts_of(file):
        for match in PROSE.finditer(plain(text)):
            line = first + text.count("\n", 0, match.start())
            around = text[max(0, match.start() - 30) : match.end() + 30].replace("\n", " ")
            yield f"{file.relative_to(ROOT)}:{line}: {match[0]!r}: {replacements[index_of(match)]} (… {around} …)"


def plain(text: str) -> str:
    """Return the text, as long as before, without addresses and allowed phrases."""
    hidden = re.compile(r"https?://\S+|" + "|".join(map(re.escape, ALLOWED)), re.IGNORECASE)
    return hidden.sub(lambda match: "·" * len(match[0]), text)


def index_of(match: re.Match[str]) -> int:
    return next(int(name[1:]) for name, found in match.groupdict().items() if found is not None)


def files_of(part: str) -> list[Path]:
    if part == "pages":
        return PAGES
    if part == "modules":
        return sorted(SOURCE.glob("*.py"))
    return sorted(file for end in ("*.py", "*.j2", "*.html") for file in (SOURCE / part).rglob(end))


PARTS = ["pages", "modules", *sorted(folder.parent.name for folder in SOURCE.glob("*/__init__.py"))]


@pytest.mark.parametrize("part", PARTS)
def test_text_is_in_the_terms_of_the_field(part):
    hits = [hit for file in files_of(part) for hit in hits_in(file)]
    assert not hits, "\n".join([f"{len(hits)} hits", *hits])


@pytest.mark.parametrize(
    "text",
    [
        "Machine learning on a virtual machine, and the model card of a model",
        "model_card.md lists images beside each other",
        "Fetch 3,000 images; see https://example.org/pictures/card",
    ],
)
def test_ordinary_words_are_allowed(text):
    assert not PROSE.search(plain(text))


@pytest.mark.parametrize(
    "text", ["a machine says", "Altered copies", "class_weight: root", "tops_up", "the card of the record"]
)
def test_words_to_avoid_are_found(text):
    assert PROSE.search(plain(text))

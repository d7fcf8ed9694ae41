"""Sheets of any network: what they train, held against the derivatives of their own error."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from backprop.check.architecture import NO_HALF, Architecture
from backprop.check.cells import Address, Rectangle
from backprop.check.edits import Edit, Editor
from backprop.check.faults import Faults
from backprop.check.findings import (
    FORMULA,
    NOT_READ,
    TEXT,
    TYPED,
    UNREAD,
    Finding,
    LearningRate,
    TableReport,
    format_addresses,
)
from backprop.check.graph import CircularError, Graph
from backprop.check.iteration import Iteration
from backprop.check.labels import Labels
from backprop.check.misfits import Found, find_trainings
from backprop.check.patterns import Patterns
from backprop.check.references import Formulas, read_number_as_text
from backprop.check.run import is_rounded
from backprop.check.tables import ForeignTable
from backprop.check.training import Course
from backprop.check.updates import join_trainings

_MAX_FORMULAS = 400_000
_MAX_TRIED = 6_000
_NO_EDIT = "it does not agree with the derivative of the sheet's own error"


def check_networks(formulas: Formulas, tables: Sequence[ForeignTable]) -> tuple[list[TableReport], str]:
    """Check what a workbook trains besides some tables; returns also why there is nothing, if so."""
    covered: dict[str, list[Rectangle]] = defaultdict(list)
    for table in tables:
        covered[table.sheet].append(table.cells)
    graph = Graph(formulas, list(formulas.workbook.formulas(covered)))
    if tables:
        graph.cells = _choose_cells(graph)
    if not graph.cells:
        return [], "it holds no formulas"
    if len(graph.cells) > _MAX_FORMULAS:
        return [], f"it has {len(graph.cells):,} formulas, more than {_MAX_FORMULAS:,}"
    try:
        found = find_trainings(graph)
        courses = _find_courses(graph, found)
        known = [course for course in courses if course.error]
        found_late = (course.find_forgotten() | course.find_cut_off() for course in known)
        forgotten = {c: n for cells in found_late for c, n in cells.items()}
        if forgotten:
            found = find_trainings(graph, forgotten)
            courses = _find_courses(graph, found)
    except CircularError as error:
        return [], f"its formulas are circular ({error}), which iterative calculation may go through: nothing to check"
    reports = [_Report(course, found).make() for course in courses]
    return reports, "" if reports else _explain_nothing(formulas)


def _choose_cells(graph: Graph) -> list[Address]:
    """Return the formulas without those of sheets in which none adds something to a cell as it is."""
    sheets, seen = set[str](), set[object]()
    for cell in graph.cells:
        holder = graph.workbook.cell(cell)
        if holder is not None and holder.formula not in seen:
            seen.add(holder.formula)
            shape = graph.shape(cell)
            sheets |= {cell.sheet} if shape.summands and len(shape.references) > 1 else set()
    return [cell for cell in graph.cells if cell.sheet in sheets]


def _find_courses(graph: Graph, found: Found) -> list[Course]:
    """Join what lowers the same error: the outputs of a network of one layer know nothing of each other."""
    groups: dict[Address, list[Course]] = defaultdict(list)
    for course in (Course(graph, training) for training in found.trainings):
        groups[course.error_in(0) if course.error else course.training.chains[0].cells[0]].append(course)
    return [
        group[0] if len(group) == 1 else Course(graph, join_trainings(course.training for course in group))
        for group in groups.values()
    ]


def _explain_nothing(formulas: Formulas) -> str:
    """Return the reason why a workbook has nothing to check, in words."""
    workbook = formulas.workbook
    others = [name for name, is_there in (("macros", workbook.has_macros), ("Solver", workbook.has_solver)) if is_there]
    by = f"; {' and '.join(others)} may change its weights" if others else ""
    return f"no formula updates a weight by a gradient, w - η·∂E/∂w{by}: there is nothing to check against"


@dataclass
class _Report:
    """The report on one training."""

    course: Course
    found: Found

    def make(self) -> TableReport:
        """Check all iterations."""
        course = self.course
        if course.error is None:
            return self._refuse("no cell was found that the weights lead to and whose derivatives the updates follow")
        judgement = self._faults.judgement
        architecture = Architecture(judgement.iteration, judgement.derivatives)
        return TableReport(
            course.error.sheet,
            self._labels.header.a1,
            len(course.training.iterations) + (course.last is not None),
            str(architecture),
            self._faults.compared,
            self._describe_rate(),
            (*self._tell_faults(), *self._tell_miscopied(), *self._tell_unread(), *self._tell_texts()),
            tuple(self._write_notes(architecture)),
            self._fingerprint(),
        )

    def _refuse(self, reason: str) -> TableReport:
        """Report a training whose error is not known; a formula without a number may be why."""
        first = self.course.training.chains[0].cells[0]
        level = self.course.sample
        targets = tuple(self.course.ends.get(level, ()))
        iteration = Iteration(self.course.graph, self.course.training, level, targets)
        finding = Finding(UNREAD, "network", first.a1, None, None, reason)
        for cell, words in {**iteration.broken, **iteration.unread}.items():
            kind = FORMULA if cell in iteration.broken else UNREAD
            finding = Finding(kind, cell.a1, cell.a1, self.course.graph.workbook.formula(cell), None, words)
        rows = len(self.course.training.iterations) + 1
        return TableReport(first.sheet, first.a1, rows, NOT_READ, 0, LearningRate(None, None, ""), (finding,))

    @cached_property
    def _faults(self) -> Faults:
        return Faults(self.course)

    @cached_property
    def _tries(self) -> Iterator[int]:
        """What the explanations of all faults may try: where everything is wrong, the first ones are explained."""
        return iter(range(_MAX_TRIED))

    @cached_property
    def _labels(self) -> Labels:
        return Labels(self.course)

    def _describe_rate(self) -> LearningRate:
        rate = self._faults.rates.rate
        if isinstance(rate, Address):
            return LearningRate(rate.a1, float(self._faults.judgement.iteration.number(rate)[0]), "")
        return LearningRate(None, rate, "")

    def _write_notes(self, architecture: Architecture) -> Iterator[str]:
        """Yield what is unusual and right."""
        iteration, factor = self._faults.judgement.iteration, self._faults.rates.factor
        if isinstance(self._faults.rates.rate, float):
            yield f"η = {self._faults.rates.rate:g} is typed into the updates; no cell holds it"
        shares = sorted({f"{share:g}" for share in iteration.momentum.values()})
        if shares:
            yield f"the updates have momentum {', '.join(shares)}"
        if architecture.loss_words == NO_HALF:
            yield "the error has no factor ½, and the gradients agree with that"
        if abs(factor - 1) > 1e-9 and self.course.error is not None:
            error = self._labels.name(self.course.error)
            yield f"the updates multiply the derivatives of {error} with η times {factor:.6g}"

    def _tell_faults(self) -> Iterator[Finding]:
        """Join faults whose cells repeat each other's formula, and explain each such run once."""
        workbook, runs = self.course.graph.workbook, defaultdict[object, list[Address]](list)
        for cell, fault in self._faults.found.items():
            holder = workbook.cell(cell)
            line = cell.row if self.course.is_sideways else cell.column
            runs[fault.kind, cell.sheet, line, (holder and holder.formula) or fault.explanation].append(cell)
        for cells in runs.values():
            cells.sort()
            fault = self._faults.found[cells[0]]
            edit = self._correct(cells)
            words = fault.explanation or (edit.words if edit else _NO_EDIT)
            yield Finding(
                fault.kind,
                self._labels.name(cells[0]),
                self._format(cells),
                workbook.formula(cells[0]),
                edit.formula if edit else None,
                " ".join(words.split()),
            )

    def _correct(self, cells: list[Address]) -> Edit | None:
        """Return the smallest change that makes some wrong cells right, as it is written in the first of them."""
        fault = self._faults.found[cells[0]]
        iteration, cell = self._faults.repaired.get(fault.level), fault.fault.cell
        edit = None if iteration is None else Editor(iteration, self._labels.name, self._tries).correct(fault.fault)
        if edit is None:
            return None
        pattern = Patterns(cell.sheet).intern(edit.formula, cell.row, cell.column)
        return edit._replace(formula=pattern.text(cells[0].row, cells[0].column))

    def _format(self, cells: list[Address]) -> str:
        return format_addresses(cells, self.course.error.sheet if self.course.error else "")

    def _tell_miscopied(self) -> Iterator[Finding]:
        """Report cells that should repeat a weight, each by itself."""
        workbook = self.course.graph.workbook
        weights = {cell for chain in self.course.training.chains for cell in chain.cells}
        for cell, weight in self.found.miscopied.items():
            holder = workbook.cell(cell)
            if weight not in weights or holder is None:
                continue
            kind, words = FORMULA, f"it should repeat {weight.a1}, as others repeat theirs"
            if holder.formula is None:
                actual = self.course.graph.actual_number(weight)
                is_right = isinstance(holder.value, float) and is_rounded(holder.value, actual)
                kind, words = (TYPED if is_right else FORMULA), "a number is typed where a weight should be repeated"
            text = f"={weight.a1}"
            yield Finding(kind, self._labels.name(cell), self._format([cell]), workbook.formula(cell), text, words)

    def _tell_unread(self) -> Iterator[Finding]:
        cells: dict[str, list[Address]] = defaultdict(list)
        for cell, reason in self._faults.unread.items():
            cells[reason].append(cell)
        for cell, reason in sorted(self.found.doubtful.items()):
            if self.course.error is not None and cell.sheet == self.course.error.sheet:
                cells[reason].append(cell)
        for reason, group in cells.items():
            name, words = self._labels.name(group[0]), " ".join(reason.split())
            yield Finding(UNREAD, name, self._format(group), self.course.graph.workbook.formula(group[0]), None, words)

    def _tell_texts(self) -> Iterator[Finding]:
        graph, words = self.course.graph, "a number is stored as a text: type it anew as a number"
        for cell in sorted({read for user in self.course.cells for read in graph.shape(user).references}):
            holder = graph.workbook.cell(cell)
            number = None if holder is None or holder.formula else read_number_as_text(holder.value)
            if number is not None:
                yield Finding(TEXT, self._labels.name(cell), self._format([cell]), None, f"{number:.15g}", words)

    def _fingerprint(self) -> str:
        """Hash the formulas and what is typed, wherever they stand."""
        graph, parts = self.course.graph, list[str]()
        for cell in self.course.cells:
            holder = graph.workbook.cell(cell)
            typed = [repr(graph.typed(r)) for r in graph.shape(cell).references if r not in graph.places]
            parts.append(f"{holder.formula.key if holder and holder.formula else graph.typed(cell)!r}:{typed}")
        return hashlib.sha256("\n".join(sorted(parts)).encode("utf-8", "surrogatepass")).hexdigest()

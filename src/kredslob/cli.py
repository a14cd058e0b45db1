"""The command line: its commands, and how it ends. The commands themselves are in `commands`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from typing import Annotated, Any, NoReturn, cast

import typer

from kredslob.commands import checks, loops, pages, run, runs, studies
from kredslob.commands.asked import StoppedError
from kredslob.commands.document import document
from kredslob.commands.help import CHECK, RUN, RUNS, SHOW, STUDY, epilog, shown
from kredslob.commands.options import AT_END
from kredslob.errors import KredslobError

_STOPPED = 130  # as a shell has it
# what typer raises for any wrong use; it gives the class no public name
_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__base__)

app = typer.Typer(
    help="Social investment as a cycle, computed.",
    epilog=epilog(
        "kredslob run",
        "kredslob run --help",
        "kredslob --install-completion  # then Tab completes names",
    ),
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line. Bad input ends it with one line on stderr and exit code 2."""
    gc.set_threshold(50_000)  # at Python's own, a tenth of a run's time goes to finding little
    try:
        with ExitStack() as at_end:
            AT_END.set(at_end)
            sys.exit(_carried_out(sys.argv[1:] or ["--help"]))
    except KredslobError as problem:
        _end(f"error: {problem}", 2)
    except _USAGE_ERROR as problem:
        _end(f"error: {_usage(problem)}", 2)
    except StoppedError as stopped:
        _end(str(stopped), _STOPPED)
    except (typer.Abort, KeyboardInterrupt):
        _end("stopped; nothing was saved", _STOPPED)


def _carried_out(words: list[str]) -> int:
    code: int = _command()(words, prog_name="kredslob", standalone_mode=False) or 0
    if code == _STOPPED:  # typer says no more of Ctrl-C
        raise typer.Abort
    return code


def _usage(problem: Exception) -> str:
    """What was typed wrong, and where to read on."""
    said = getattr(problem, "format_message", problem.__str__)().rstrip(".")
    context = getattr(problem, "ctx", None)
    if "extra argument" in said:
        said += "; put quotes round what has blanks in it, such as --set 'NAME=VALUE'"
    return f"{said} (see '{context.command_path if context else 'kredslob'} --help')"


def _command() -> Any:
    """The whole command; its options for Tab work, and are told of at the end of the help."""
    command = typer.main.get_command(app)
    options: list[Any] = list(command.params)
    for option in options:
        if option.name in ("install_completion", "show_completion"):
            option.hidden = True
    return command


def _end(message: str, code: int) -> NoReturn:
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(code)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"kredslob {version('kredslob')}")
        raise typer.Exit


@app.callback()
def _options(
    version_: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def _register(panel: str, function: Callable[..., None], *examples: str) -> None:
    app.command(**shown(panel, *examples))(function)


_register(
    RUN,
    run.run,
    "kredslob run",
    "kredslob run --setting national --scenario half",
    "kredslob run --rates 0,0.5,1 --years 20 --set 'cashing delay[health]=2 years'",
)
_register(
    STUDY,
    studies.threshold,
    "kredslob threshold",
    "kredslob threshold --setting national --draws 500 --out how-much",
)
_register(
    STUDY,
    studies.uncertainty,
    "kredslob uncertainty --draws 1000",
    "kredslob uncertainty --rates 0.5,1 --structure 'switch prevention=0.8'",
)
_register(
    STUDY,
    studies.sensitivity,
    "kredslob sensitivity",
    "kredslob sensitivity --outcomes 'loop gain' --range 'overhead share=0.1:0.3'",
)
_register(
    STUDY,
    studies.search,
    "kredslob search",
    "kredslob search --enough 'citizens helped=90' --lever 'reinvestment rate=0:1'",
)
_register(
    STUDY,
    loops.loops,
    "kredslob loops",
    "kredslob loops my-model.mdl --years 50 --set 'birth rate=0.03'",
)
_register(
    SHOW,
    pages.workshop,
    "kredslob workshop --lang da",
    "kredslob workshop --setting national --scenario ours.toml --out page.html",
)
_register(
    SHOW,
    pages.report,
    "kredslob report",
    "kredslob report runs/mine --kind brief --format docx,pdf",
)
_register(RUN, run.settings, "kredslob settings")
_register(RUN, run.scenarios, "kredslob scenarios --lang da")
_register(
    SHOW,
    pages.diagrams,
    "kredslob diagrams pictures",
    "kredslob diagrams pictures --model my-model.mdl",
)
_register(SHOW, document, "kredslob document", "kredslob document my-model.mdl --out it.html")
_register(RUNS, runs.export, "kredslob export runs/mine --format xlsx,csv --out tables")
_register(RUNS, runs.reproduce, "kredslob reproduce runs/mine")
_register(CHECK, checks.case, "kredslob case denver")
_register(CHECK, checks.cases, "kredslob cases")
_register(CHECK, checks.units, "kredslob units", "kredslob units my-model.mdl")
_register(CHECK, checks.check, "kredslob check", "kredslob check my-model.xmile --out checked")
_register(CHECK, checks.verify, "kredslob verify --years 2", "kredslob verify my-model.mdl")
app.add_typer(runs.runs_app, name="runs", rich_help_panel=RUNS)

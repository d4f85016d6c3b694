"""The first screen of help: what is used most stands first, and every command is somewhere."""

from click.testing import CliRunner

from standfast.cli import commands


def test_the_first_screen_is_grouped_by_use() -> None:
    text = CliRunner().invoke(commands, ["--help"]).output
    titles = [line.removesuffix(":") for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles[:2] == ["Options", "Every day"]
    assert titles[-1] == "Laboratory", "after everything that people need"
    everyday = text.partition("Every day:")[2].partition("\n\n")[0]
    for name in ("check", "plan", "run", "status", "explain", "drain", "history"):
        assert f"\n  {name} " in everyday
    for name in commands.list_commands(None):  # type: ignore[arg-type]
        assert f"\n  {name} " in text

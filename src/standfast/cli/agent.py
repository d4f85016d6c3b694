"""`standfast agent`: hold a lease for the load balancer of this machine."""

import asyncio
import sys
from pathlib import Path

import click

from standfast.config import load_agent
from standfast.errors import ConfigError
from standfast.runtime.agent.process import Agent
from standfast.runtime.readiness import ServiceManager
from standfast.runtime.supervision import listen


@click.command("agent", short_help="hold a lease for the load balancer of this machine")
@click.option("--config", "file", default="/etc/standfast/agent.yaml", envvar="STANDFAST_AGENT", show_default=True)
@click.option("--check", is_flag=True, help="read the file, say what is wrong with it, and end")
@click.option("--quiet", is_flag=True, help="nothing on the terminal")
def agent_command(file: str, check: bool, quiet: bool) -> None:
    """Renew this load balancer's lease until stopped, then sign off.

    SIGHUP reads the file again: capacity, admin state, addresses. While the drain file exists it is drained.
    """
    config = load_agent(Path(file))
    if check:
        click.echo(f"{file} is fine: {config.holder} asks {', '.join(config.registries)}.")
        return
    signals, manager = listen(), ServiceManager()

    def tell(text: str) -> None:
        if not quiet:
            click.echo(f"{config.holder} {text}")
            sys.stdout.flush()

    def beaten() -> None:
        manager.ready(f"{config.holder} renews its lease")
        manager.at_work()
        if signals.reload.is_set():
            signals.reload.clear()
            try:
                agent.reread(load_agent(Path(file)))
                tell("read its file again")
            except ConfigError as error:
                tell(f"goes on as before, for its file is wrong: {error}")

    agent = Agent(config, tell, beaten=beaten)
    asyncio.run(agent.run(signals.stop))

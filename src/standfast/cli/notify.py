"""`standfast notify --test`: does the webhook take what we send?"""

import socket

import click

from standfast.errors import EXIT_ERROR, StandfastError

from .wording import config_option, loaded


@click.command("notify", short_help="send a test notification, and its end, to the webhook")
@config_option
@click.option("--test", is_flag=True, help="send a problem and its end")
@click.option("--show", is_flag=True, help="print what would be sent, without secrets, and send nothing")
@click.pass_context
def notify_command(ctx: click.Context, file: str, test: bool, show: bool) -> None:
    """Send a test notification, and its end, to the webhook of `notify:`.

    Exit code: 0 it took both, 1 it did not.
    """
    import threading

    from msgspec.structs import replace as other

    from standfast.runtime.notifying.news import Notification
    from standfast.runtime.notifying.sending import Sender
    from standfast.runtime.notifying.templates import Renderer

    if test == show:
        raise click.UsageError("Give --test to send, or --show to look.")
    config = loaded(file)
    notify = config.signals.notify
    if notify is None:
        raise StandfastError(f"{file} has no `notify:`.", "Give notify: {webhook: env:STANDFAST_WEBHOOK}.")
    host = socket.gethostname()
    summary = f"This is a test of Standfast on {host}. Nothing is wrong."
    key = f"standfast/{config.stream}/test"
    trigger = Notification("trigger", "critical", key, summary, "standfast status", event="test")
    both = (trigger, other(trigger, action="resolve", summary="The test is over."))
    if show:
        from dataclasses import replace

        shown = Renderer(replace(notify, key="SECRET"), config.stream, host)
        for one in both:
            click.echo(shown.body(one).decode())
        return
    sender = Sender(notify.webhook, Renderer(notify, config.stream, host))
    for one in both:
        if why := sender.deliver(one, threading.Event()):
            click.echo(f"The webhook did not take it: {why}. Look at `notify:` in {file}.", err=True)
            ctx.exit(EXIT_ERROR)
    click.echo("The webhook took a problem and its end. Look whether both arrived.")

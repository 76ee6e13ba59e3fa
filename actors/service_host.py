"""Keeps something of the outside open while it lives, so that it is supervised like anyone."""

from collections.abc import Mapping
from typing import TypeAlias

from hydra.actor import Actor, Context, unhandled
from hydra.ports import Service
from messages.health import HealthReported, ReportHealth

Inbox: TypeAlias = ReportHealth


class ServiceHost(Actor[Inbox]):
    """Opens a service at its start and closes it at its end, however that comes."""

    def __init__(self, service: Service, what: str) -> None:
        self._service = service
        self._what = what

    def start(self, ctx: Context) -> None:
        self._service.open()
        ctx.log("service_opened", service=self._what)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case ReportHealth():
                ctx.reply(HealthReported(component=self._what, is_well=True, detail="open"))
            case _:
                unhandled(message)

    def stop(self, ctx: Context, reason: str) -> None:
        self._service.close()

    def failed(self, error: BaseException) -> None:
        self._service.close()

    def state_view(self) -> Mapping[str, object]:
        """What it keeps open."""
        return {"service": self._what}

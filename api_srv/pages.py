"""The pages for people: clusters and their own jobs at a glance. No scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from api_srv import presenting, sessions
from api_srv.auth import services
from api_srv.dao.ports import Condition
from api_srv.errors import TooManyAttempts, Unauthorised
from api_srv.services.job_query import JobQuery
from project.core.campaign import is_first_part

if TYPE_CHECKING:
    from flask.sansio.blueprints import BlueprintSetupState
    from werkzeug.wrappers import Response

blueprint = Blueprint("pages", __name__)
_JOBS_SHOWN = 25
_PARTS_SHOWN = 50
_TASKS_SHOWN = 500
_LOGIN_FORM_BYTES = 10_000


@blueprint.record_once
def _register(state: BlueprintSetupState) -> None:
    state.app.jinja_env.filters.update(presenting.FILTERS)


@blueprint.app_context_processor
def _shared() -> dict[str, object]:
    """What every page may use."""
    return {"caller": sessions.logged_in, "form_token": sessions.form_token}


@blueprint.get("/")
def home() -> str:
    """Show clusters and own jobs, or the way in."""
    caller = sessions.logged_in()
    if caller is None:
        return render_template("login.html")
    jobs = services().jobs
    shown = jobs.newest(caller, JobQuery(after=request.args.get("after", ""), limit=_JOBS_SHOWN))
    tasks = {job["job_uuid"]: jobs.states(caller, job["job_uuid"]) for job in shown}
    older = shown[-1]["job_uuid"] if len(shown) == _JOBS_SHOWN else ""
    return render_template("home.html", clusters=services().clusters.all(), jobs=shown, tasks=tasks, older=older)


@blueprint.get("/ui/jobs/<job_uuid>")
def job(job_uuid: str) -> str | Response:
    """Show one job with its timeline; with a campaign's first part, the others."""
    caller = sessions.logged_in()
    if caller is None:
        return redirect(url_for("pages.home"))
    jobs = services().jobs
    found = jobs.get(caller, job_uuid)
    of_campaign = JobQuery([Condition("campaign", "=", job_uuid)], limit=_PARTS_SHOWN)
    parts = jobs.newest(caller, of_campaign) if is_first_part(found) else []
    return render_template("job.html", job=found, parts=parts, most_parts=_PARTS_SHOWN, most_tasks=_TASKS_SHOWN)


@blueprint.post("/login")
def login() -> Response | tuple[str, int]:
    """Begin a session."""
    request.max_content_length = _LOGIN_FORM_BYTES
    sessions.check_form()
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        sessions.log_in(services().accounts.login(name, password, request.remote_addr or "unknown"))
    except (Unauthorised, TooManyAttempts) as error:
        status = 401 if isinstance(error, Unauthorised) else 429
        return render_template("login.html", error=error, name=name), status
    return redirect(url_for("pages.home"), 303)


@blueprint.post("/logout")
def logout() -> Response:
    """End the session."""
    sessions.check_form()
    sessions.log_out()
    return redirect(url_for("pages.home"), 303)

// A step of work that asks something first is fetched into one dialog over the ticket's page; what it
// changed is on the page beneath it.
import "helpdesk/dialog";

document.addEventListener("step:done", () => document.getElementById("step")?.close());

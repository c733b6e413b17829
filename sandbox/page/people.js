// People: invitations and members of every organisation.
"use strict";

const MAX_PEOPLE = 100;

const STATUS_KINDS = { sent: "info", staged: "warn", accepted: "good", expired: "bad", deactivated: "" };

function invitationRow(invitation) {
  const row = element("tr");
  row.append(
    cell("", element("span", { text: invitation.email })),
    cell("tight", badge(invitation.status, STATUS_KINDS[invitation.status])),
    cell("tight mono", element("span", { text: time(invitation.expires_at).slice(0, 16) })),
  );
  const action = cell("tight action");
  if (invitation.status === "sent") {
    const { provider, organization, email } = invitation;
    const label = { "aria-label": `Accept the invitation of ${email}`, type: "button" };
    const button = element("button", { text: "Accept", className: "small accept", attributes: label });
    button.addEventListener("click", () =>
      act(`Accept ${email}`, () => call("POST", "accept", { provider, organization, email })));
    action.append(button);
  }
  row.append(action);
  return row;
}

function memberRow(member) {
  const row = element("tr");
  row.append(
    cell("", element("span", { text: member.email })),
    cell("", element("span", { text: member.name })),
    cell("tight mono", element("span", { text: member.id })),
  );
  return row;
}

function table(caption, heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { text, attributes: { scope: "col" } })));
  return element("table", {},
    element("caption", { text: caption, className: "hidden" }),
    element("thead", {}, head),
    element("tbody", {}, ...rows));
}

// A table, or why there is none.
function listing(name, caption, heads, { rows, total }, toRow) {
  const title = `${name} (${total > rows.length ? `the latest ${rows.length} of ${total}` : total})`;
  const parts = [element("h3", { text: title })];
  if (rows.length) parts.push(table(caption, heads, rows.slice().reverse().map(toRow)));
  return parts;
}

async function peopleOf({ provider, id }, index) {
  const selection = new URLSearchParams({ provider, organization: id, limit: MAX_PEOPLE });
  const part = byId("people-filter").value.trim();
  if (part) selection.set("email", part);
  const [invited, joined] = await Promise.all([
    call("GET", `invitations?${selection}`),
    call("GET", `members?${selection}`),
  ]);
  const name = API_NAMES[provider] ?? provider;
  const heading = element("p", {}, element("strong", { text: name }), " ", element("code", { text: id }));
  return element("section", { attributes: { "aria-label": `${name}, organisation ${index + 1}` } },
    heading,
    ...listing("Invitations", `Invitations of ${name}, the latest first`,
      ["Address", "Status", "Expires (UTC)", ""], { rows: invited.invitations, total: invited.total }, invitationRow),
    ...listing("Members", `Members of ${name}, the latest first`,
      ["Address", "Name", "Id"], { rows: joined.members, total: joined.total }, memberRow));
}

async function showPeople(organizations) {
  const sections = await Promise.all(organizations.map(peopleOf));
  // A person who uses the keyboard stays at the button in the same place.
  const buttons = () => [...document.querySelectorAll("#people button")];
  const focused = buttons().indexOf(document.activeElement);
  byId("people").replaceChildren(...sections);
  if (focused >= 0) (buttons()[focused] ?? byId("people-filter")).focus();
}

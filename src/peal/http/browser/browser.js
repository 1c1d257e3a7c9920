// The API browser: draws every operation of openapi.json and sends what its forms say.
"use strict";

const BASE = "/api/ver1.0/";
const SHOWN = ["content-disposition", "x-request-id", "etag", "x-ratelimit-remaining"];
let token = "";
let schemas = {};

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function resolve(schema) {
  if (!schema) return {};
  if (schema.$ref) return resolve(schemas[schema.$ref.split("/").pop()]);
  const choices = schema.oneOf || schema.anyOf;
  const chosen = choices && choices.find((one) => one.type !== "null");
  return chosen ? { ...schema, ...resolve(chosen) } : schema;
}

function isFile(schema) {
  return schema.format === "binary" || Boolean(schema.contentMediaType);
}

function typeOf(schema) {
  const found = resolve(schema);
  if (isFile(found)) return "file";
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (found.type === "array") return `list of ${typeOf(found.items)}`;
  return [].concat(found.type || "any").join(" or ");
}

function example(schema) {
  const found = resolve(schema);
  if (found.examples && found.examples.length) return found.examples[0];
  if (found.enum) return found.enum[0];
  if (found.type === "object") return exampleObject(found);
  return { array: [], integer: 0, boolean: false }[found.type] ?? "";
}

function exampleObject(schema) {
  const required = schema.required || [];
  const entries = Object.entries(schema.properties || {});
  const shown = required.length ? entries.filter(([name]) => required.includes(name)) : entries.slice(0, 1);
  return Object.fromEntries(shown.map(([name, value]) => [name, example(value)]));
}

function table(head, rows) {
  const cells = (tag, row) => make("tr", {}, ...row.map((text) => make(tag, { textContent: text })));
  return make("table", { className: "wide" }, cells("th", head), ...rows.map((row) => cells("td", row)));
}

function input(form, name, hint, properties = {}) {
  const field = make("input", { name, ariaLabel: name, placeholder: hint, autocomplete: "off", ...properties });
  form.append(make("label", { textContent: name }), field);
  return field;
}

async function answer(output, request) {
  output.hidden = false;
  output.textContent = "…";
  try {
    const response = await request();
    const text = await textOf(response);
    const headers = SHOWN.filter((name) => response.headers.get(name))
      .map((name) => `${name}: ${response.headers.get(name)}`);
    output.textContent = [`${response.status} ${response.statusText}`, ...headers, "", pretty(text)].join("\n");
  } catch (error) {
    output.textContent = `No answer: ${error.message}`;
  }
}

async function textOf(response) {
  const type = response.headers.get("content-type") || "";
  if (!type || type.includes("json") || type.startsWith("text/")) return response.text();
  return `${(await response.blob()).size} bytes of ${type}`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function target(path, form, parameters) {
  const query = new URLSearchParams();
  let url = path;
  for (const { name, in: place } of parameters) {
    const value = form.elements[name].value;
    if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === "query" && value) query.append(name, value);
  }
  return query.size ? `${url}?${query}` : url;
}

function body(form, type) {
  if (!type) return undefined;
  if (type === "application/json") return form.elements.body.value;
  const data = new FormData();
  for (const field of form.querySelectorAll("[data-part]")) {
    const value = field.type === "file" ? field.files[0] : field.value;
    if (value) data.append(field.name, value);
  }
  return data;
}

function drawBody(form, content) {
  const type = content["application/json"] ? "application/json" : Object.keys(content).pop();
  const schema = resolve(content[type].schema);
  const fields = Object.entries(schema.properties || {});
  if (type === "application/json") {
    const text = JSON.stringify(example(schema), null, 2);
    form.append(make("textarea", { name: "body", className: "wide", value: text, ariaLabel: "body" }));
  } else {
    for (const [name, value] of fields) {
      input(form, name, typeOf(value), { type: isFile(value) ? "file" : "text" }).dataset.part = "";
    }
  }
  const required = schema.required || [];
  const rows = fields.map(([name, value]) => [
    name + (required.includes(name) ? " *" : ""), typeOf(value), resolve(value).description || "",
  ]);
  form.append(table(["field", "type", "meaning"], rows));
  return type;
}

function drawOperation(path, method, operation) {
  const form = make("form", { className: "call" });
  const parameters = (operation.parameters || []);
  for (const { name, schema, in: place } of parameters) {
    input(form, name, `${place} · ${typeOf(schema)}`, { required: place === "path" });
  }
  const type = operation.requestBody && drawBody(form, operation.requestBody.content);
  const output = make("pre", { className: "answer", hidden: true });
  output.setAttribute("aria-live", "polite");
  form.append(make("button", { type: "submit", textContent: "Try it out!" }), output);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const headers = { Authorization: `Bearer ${token}` };
    if (type === "application/json") headers["Content-Type"] = type;
    for (const { name, in: place } of parameters) {
      if (place === "header" && form.elements[name].value) headers[name] = form.elements[name].value;
    }
    answer(output, () => fetch(target(path, form, parameters), {
      method: method.toUpperCase(), headers, body: body(form, type),
    }));
  });
  const responses = Object.entries(operation.responses).map(([status, { description }]) => [status, description]);
  const summary = make("summary", {},
    make("span", { className: "method", textContent: method.toUpperCase() }),
    make("span", { className: "path", textContent: path.replace(BASE, "/") }),
    make("span", { className: "text", textContent: operation.summary || "" }));
  const text = make("p", { textContent: operation.description || "" });
  const heading = make("h3", { textContent: "Answers" });
  const inside = make("div", {}, text, form, heading, table(["status", "meaning"], responses));
  return make("details", { id: operation.operationId }, summary, inside);
}

function draw(openapi) {
  schemas = openapi.components.schemas;
  const sections = new Map();
  for (const [path, operations] of Object.entries(openapi.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const [tag] = operation.tags;
      if (tag === "authentication") continue;
      if (!sections.has(tag)) sections.set(tag, make("section", {}, make("h2", { textContent: tag })));
      sections.get(tag).append(drawOperation(path, method, operation));
    }
  }
  document.getElementById("operations").replaceChildren(...sections.values());
}

function listen() {
  document.getElementById("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    token = document.getElementById("token").value.trim();
    document.getElementById("token-state").textContent = token ? "token set" : "no token set";
  });
  const form = document.querySelector("#authentication form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const parameters = new URLSearchParams({ grant_type: "client_credentials" });
    for (const name of ["client_id", "client_secret"]) parameters.set(name, document.getElementById(name).value);
    answer(form.querySelector(".answer"), () => fetch("/oauth/token", { method: "POST", body: parameters }));
  });
}

listen();
fetch(`${BASE}openapi.json`).then((response) => response.json()).then(draw);

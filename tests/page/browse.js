"use strict";
/*
 * A page in a real browser: node browse.js MODULES FILE [STEP ...]
 *
 * Opens FILE and takes the steps; prints one JSON object with what each gave,
 * and what must not have happened: messages on the console, errors, requests.
 * A step is name=argument: see `steps`.
 */
const path = require("path");

const [, , modules, file, ...wanted] = process.argv;
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = path.join(modules, "axe-core", "axe.min.js");

const steps = {
	/* Narrow, wide: columns of pixels. */
	width: (page, pixels) => page.setViewportSize(
	    { width: Number(pixels), height: 900 }),
	scheme: (page, colorScheme) => page.emulateMedia({ colorScheme }),
	media: (page, media) => page.emulateMedia({ media }),
	/* Rows of the table, each as its cells' text. */
	rows: (page) => page.$$eval("#incidents tbody tr:first-child", (rows) =>
	    rows.map((row) => [...row.cells].map((cell) => cell.innerText))),
	status: (page) => page.innerText("#shown"),
	text: (page, selector) => page.$$eval(selector, (found) =>
	    found.map((element) => element.innerText)),
	count: (page, selector) => page.locator(selector).count(),
	search: (page, text) => page.fill("#search", text),
	choose: (page, choice) => page.selectOption(
	    "#" + choice.split(":")[0], choice.split(":")[1]),
	click: (page, selector) => page.locator(selector).first().click(),
	press: (page, key) => page.keyboard.press(key),
	focus: (page, selector) => page.locator(selector).first().focus(),
	focused: (page) => page.evaluate(() =>
	    document.activeElement.textContent),
	wait: (page, selector) => page.locator(selector).first().waitFor(),
	go: (page, hash) => page.evaluate((to) => {
		location.hash = to;
	}, hash),
	/* Everything the page says, with what is folded; no script's source. */
	all: (page) => page.evaluate(() => {
		const body = document.body.cloneNode(true);
		body.querySelectorAll("script").forEach((e) => e.remove());
		return body.textContent;
	}),
	/* Every incident on this page of the table. */
	open: async (page) => {
		for (const link of await page.$$(
		    "#incidents a[aria-expanded=false]"))
			await link.click();
		return page.locator("article").count();
	},
	attributes: (page) => page.evaluate(() => {
		const found = [];
		for (const element of document.querySelectorAll("*"))
			for (const { name, value } of element.attributes)
				found.push([element.localName, name, value]);
		return found;
	}),
	/* Does the page scroll sideways? */
	overflow: (page) => page.evaluate(() =>
	    document.documentElement.scrollWidth -
	    document.documentElement.clientWidth),
	axe: async (page) => {
		/* Not through the page, whose policy allows no other script. */
		const script = require("fs").readFileSync(axe, "utf8");
		await page.evaluate(script);
		const { violations } =
		    await page.evaluate(() => globalThis.axe.run());
		return violations.map((v) => v.id + ": " +
		    v.nodes.map((node) => node.html.slice(0, 120)).join(" | "));
	},
	shot: (page, name) => page.screenshot({ path: name, fullPage: true })
	    .then(() => name),
	pdf: (page, name) => page.pdf({ path: name, format: "A4" })
	    .then(() => name),
};

(async () => {
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu"],
	});
	const told = { console: [], errors: [], requests: [], steps: [] };
	try {
		const page = await browser.newPage();
		const url = "file://" + path.resolve(file);
		page.on("console", (m) => told.console.push(m.text()));
		page.on("pageerror", (e) => told.errors.push(e.message));
		page.on("dialog", (d) => told.errors.push(d.message()));
		page.on("request", (r) => {
			if (r.url() !== url && !r.url().startsWith("data:,"))
				told.requests.push(r.url());
		});
		await page.goto(url);
		told.opened_ms = await page.evaluate(() => performance
		    .getEntriesByType("navigation")[0].loadEventEnd);
		for (const step of wanted) {
			const at = step.indexOf("=");
			const name = at < 0 ? step : step.slice(0, at);
			const argument = at < 0 ? "" : step.slice(at + 1);
			told.steps.push(
			    await steps[name](page, argument) ?? null);
		}
	} finally {
		await browser.close();
	}
	console.log(JSON.stringify(told));
})().catch((error) => {
	console.error(error.message);
	process.exit(1);
});

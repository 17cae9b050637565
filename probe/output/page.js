"use strict";
/*
 * What makes the table of incidents searchable. Everything is in the page:
 * rows and words to search as JSON, the incidents in full as deflated JSON
 * that is opened when somebody looks. Without this the page still reads.
 */
(() => {
	const PAGE = 50, CHUNK = 50, PRINTED = 2000;
	const table = document.getElementById("incidents");
	if (table === null)
		return;
	const find = (id) => document.getElementById(id);
	const all = JSON.parse(find("index").textContent);
	const places = new Map(all.map((row, at) => [row.i, at]));
	const chunks = document.getElementsByClassName("chunk");
	const opened = new Map();	/* at -> the article's HTML */
	const inlined = new Map();	/* id -> the <tr> that was in the page */
	let chosen = all, page = 0;

	/* --- an incident in full ------------------------------------------ */

	const inflate = async (text) => {
		const octets = Uint8Array.from(atob(text),
		    (c) => c.charCodeAt(0));
		const stream = new Blob([octets]).stream()
		    .pipeThrough(new DecompressionStream("deflate"));
		return JSON.parse(await new Response(stream).text());
	};

	const articleOf = async (at) => {
		if (!opened.has(at)) {
			const chunk = Math.floor(at / CHUNK);
			const articles =
			    await inflate(chunks[chunk].textContent);
			articles.forEach((html, i) =>
			    opened.set(chunk * CHUNK + i, html));
		}
		return opened.get(at);
	};

	const detailRow = async (row) => {
		if (inlined.has(row.i))
			return inlined.get(row.i);
		const line = document.createElement("tr");
		const cell = line.insertCell();
		line.className = "detail";
		cell.colSpan = table.tHead.rows[0].cells.length;
		cell.innerHTML = await articleOf(places.get(row.i));
		return line;
	};

	const isOpen = (body) => body.rows.length > 1;

	const mark = (body) => {
		body.querySelector("a").setAttribute("aria-expanded",
		    String(isOpen(body)));
	};

	const open = async (body) => {
		if (!isOpen(body)) {
			const row = all[places.get(body.id.slice(1))];
			const detail = await detailRow(row);
			if (!isOpen(body))
				body.append(detail);
		}
		mark(body);
	};

	const close = (body) => {
		if (isOpen(body))
			body.rows[1].remove();
		mark(body);
	};

	/* --- the table ----------------------------------------------------- */

	const bodyOf = (row) => {
		const body = document.createElement("tbody");
		body.id = "i" + row.i;
		body.innerHTML = row.r;
		mark(body);
		return body;
	};

	const count = (n) => n.toLocaleString("en") +
	    (n === 1 ? " incident" : " incidents");

	const render = (rows) => {
		const last = Math.max(1, Math.ceil(chosen.length / PAGE));
		table.replaceChildren(table.caption, table.tHead,
		    ...rows.map(bodyOf));
		find("shown").textContent = chosen.length === all.length ?
		    count(all.length) :
		    count(chosen.length) + " of " +
		    all.length.toLocaleString("en");
		find("pages").hidden = last === 1;
		find("page").textContent = "Page " + (page + 1) + " of " + last;
		find("before").disabled = page === 0;
		find("after").disabled = page + 1 >= last;
	};

	const renderPage = () =>
	    render(chosen.slice(page * PAGE, (page + 1) * PAGE));

	const turn = (by) => {
		page += by;
		renderPage();
		table.scrollIntoView();
	};

	/* --- the filter ---------------------------------------------------- */

	const wordsOf = (row) => {
		if (row.w === undefined)
			row.w = (row.r.replace(/<[^>]*>/g, " ") + " " + row.x)
			    .toLowerCase();
		return row.w;
	};

	const steps = ["withdrawn", "possible", "likely", "demonstrated"];
	const orders = {
		old: null,
		new: (a, b) => b.t - a.t,
		grave: (a, b) => a.s - b.s ||
		    steps.indexOf(b.c) - steps.indexOf(a.c),
	};

	const choose = () => {
		const words = find("search").value.toLowerCase().split(/\s+/)
		    .filter((word) => word !== "");
		const certainty = find("certainty").value;
		const severity = find("severity").value;
		const kind = find("kind").value;
		const order = orders[find("order").value];
		chosen = all.filter((row) =>
		    (certainty === "" || row.c === certainty) &&
		    (severity === "" || String(row.s) === severity) &&
		    (kind === "" || row.k === kind) &&
		    words.every((word) => wordsOf(row).includes(word)));
		if (order !== null)
			chosen.sort(order);
		page = 0;
		renderPage();
	};

	/* --- where a link leads -------------------------------------------- */

	const goTo = async (id) => {
		const at = places.get(id);
		if (at === undefined)
			return;
		if (!chosen.includes(all[at])) {
			find("filter").reset();
			choose();
		}
		if (find("i" + id) === null) {
			page = Math.floor(chosen.indexOf(all[at]) / PAGE);
			renderPage();
		}
		const body = find("i" + id);
		await open(body);
		body.scrollIntoView();
		body.querySelector("a").focus({ preventScroll: true });
	};

	const followHash = () => {
		if (location.hash.startsWith("#i"))
			goTo(location.hash.slice(2));
	};

	/* --- to begin with -------------------------------------------------- */

	for (const body of table.tBodies)
		if (isOpen(body))
			inlined.set(body.id.slice(1), body.rows[1]);
	if (chunks.length > 0)
		renderPage();
	for (const body of table.tBodies) {
		if (all.length > 3)
			close(body);
		else
			mark(body);
	}
	find("shown").textContent = count(all.length);
	find("filter").hidden = all.length < 2;
	find("filter").addEventListener("input", choose);
	find("filter").addEventListener("submit", (e) => e.preventDefault());
	find("filter").addEventListener("reset", () => setTimeout(choose));
	find("before").addEventListener("click", () => turn(-1));
	find("after").addEventListener("click", () => turn(1));
	table.addEventListener("click", (event) => {
		const link = event.target.closest("th a[href^='#i']");
		if (link === null)
			return;
		event.preventDefault();
		const body = link.closest("tbody");
		if (isOpen(body))
			close(body);
		else
			open(body);
	});
	/* Paper has no pages of ours: all that was chosen, within reason. */
	addEventListener("beforeprint", () => {
		if (chosen.length > PAGE)
			render(chosen.slice(0, PRINTED));
		else if (inlined.size > 0)
			for (const body of table.tBodies)
				if (!isOpen(body))
					body.append(inlined.get(
					    body.id.slice(1)));
	});
	addEventListener("afterprint", () => {
		if (chosen.length > PAGE)
			renderPage();
		for (const body of table.tBodies)
			mark(body);
	});
	addEventListener("hashchange", followHash);
	followHash();
})();

// HTML made of data, in scripts and components.

function fromTheAddress() {
  const query = new URLSearchParams(window.location.search).get("q");
  // ruleid: prd503-url-written-as-html
  document.getElementById("title").innerHTML = "Results for " + query;
  // ruleid: prd503-url-written-as-html
  document.write(location.hash.slice(1));
  const next = window.location.search.split("next=")[1];
  // ruleid: prd503-url-written-as-html
  $("#next").html(`<a href="${next}">on</a>`);

  // ok: prd503-url-written-as-html
  document.getElementById("title").textContent = query;
  // ok: prd503-url-written-as-html
  document.getElementById("title").innerHTML = DOMPurify.sanitize(query);
  const page = parseInt(query, 10);
  // ok: prd503-url-written-as-html
  document.getElementById("page").innerHTML = "Page " + page;
  // ok: prd503-url-written-as-html
  document.getElementById("title").innerHTML = "Results for " + escapeHtml(query);
  // ok: prd503-url-written-as-html
  document.getElementById("title").innerHTML = "<b>Results</b>";
  // ok: prd503-url-written-as-html
  document.getElementById("title").innerHTML = location.hash === "#new" ? "<b>New</b>" : "";
}

function list(items, box) {
  for (const item of items) {
    // ruleid: prd503-data-written-as-html
    box.innerHTML += `<li title="${item.id}">${item.name}</li>`;
    // ruleid: prd503-data-written-as-html
    box.insertAdjacentHTML("beforeend", `<p>${item.author.bio || ""}</p>`);
    // ruleid: prd503-data-written-as-html
    box.innerHTML = "<b>" + item.comment + "</b>";
    // ruleid: prd503-data-written-as-html
    $("#row").html("<td>" + item.title);

    // ok: prd503-data-written-as-html
    box.innerHTML += `<li>${escapeHtml(item.name)}</li>`;
    // ok: prd503-data-written-as-html
    box.innerHTML += `<li>${item.count} of ${items.length}</li>`;
    // ok: prd503-data-written-as-html
    box.innerHTML = "<li></li>";
    // ok: prd503-data-written-as-html
    box.innerHTML = `<i class="${icons.name}"></i>`;
    // ok: prd503-data-written-as-html
    box.innerHTML = `<h1>${i18n.title}</h1>`;
    // ok: prd503-data-written-as-html
    box.textContent = `${item.name}`;
    // ok: prd503-data-written-as-html
    box.innerHTML = `<p>It failed: ${error.message}</p>`;
    // ok: prd503-data-written-as-html
    box.innerHTML = `<h1>${dialogOptions.title}</h1>`;
    // ok: prd503-data-written-as-html
    box.innerHTML = "";
    // ok: prd503-data-written-as-html
    $("#row").text("<td>" + item.title);
  }
}

function Comment({ comment, post, tos, html }) {
  // ruleid: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<div dangerouslySetInnerHTML={{ __html: comment.body }} />);
  // ruleid: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<p className="post" dangerouslySetInnerHTML={{ __html: post.author.bio || "" }}></p>);
  // ruleid: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<div dangerouslySetInnerHTML={{ __html: marked(post.text) }} />);
  // ok: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<div dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(comment.body) }} />);
  // ok: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<div dangerouslySetInnerHTML={{ __html: "<br>" }} />);
  // ok: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<style dangerouslySetInnerHTML={{ __html: post.content }} />);
  // ok: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<script dangerouslySetInnerHTML={{ __html: JSON.stringify(post) }} />);
  // ok: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<pre dangerouslySetInnerHTML={{ __html: highlighted.content }} />);
  // ok: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<div dangerouslySetInnerHTML={{ __html: sanitizedComment.body }} />);
  // ok: prd503-dangerously-set-inner-html, prd503-html-of-unknown-origin
  show(<div>{comment.body}</div>);
  // ruleid: prd503-html-of-unknown-origin
  show(<div dangerouslySetInnerHTML={{ __html: renderMarkdown(post.text) }} />);
  // ruleid: prd503-html-of-unknown-origin
  show(<div dangerouslySetInnerHTML={{ __html: tos }} />);
}

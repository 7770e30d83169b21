"""HTML made in Python."""


def comments(request, comment, count, MARK):
    # ruleid: prd503-text-marked-safe
    yield mark_safe(f"<p>{comment.body}</p>")
    # ruleid: prd503-text-marked-safe
    yield Markup("<p>%s</p>" % request.args["q"])
    # ruleid: prd503-text-marked-safe
    yield markupsafe.Markup("<p>{}</p>".format(comment.author.name))
    # ruleid: prd503-text-marked-safe
    yield mark_safe("<p>" + comment.text + "</p>")
    # ok: prd503-text-marked-safe
    yield format_html("<p>{}</p>", comment.body)
    # ok: prd503-text-marked-safe
    yield Markup("<p>{}</p>").format(comment.body)
    # ok: prd503-text-marked-safe
    yield Markup("<p>%s</p>") % comment.body
    # ok: prd503-text-marked-safe
    yield mark_safe("<p>constant</p>")
    # ok: prd503-text-marked-safe
    yield mark_safe(f"<b>{count}</b>")
    # ok: prd503-text-marked-safe
    yield mark_safe(f"<p>{escape(comment.body)}</p>")
    # ok: prd503-text-marked-safe
    yield mark_safe("<p>%s</p>" % escape(comment.body))
    # ok: prd503-text-marked-safe
    yield MARK(f"<p>{comment.body}</p>")


def told(request):
    message = _("That did not work.")
    # ok: prd503-text-marked-safe
    yield mark_safe(f"<p>{message}</p>")
    comment = request.args.get("comment")
    # ruleid: prd503-text-marked-safe
    yield mark_safe(f"<p>{comment}</p>")

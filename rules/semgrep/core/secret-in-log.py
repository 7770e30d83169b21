"""What goes to the log."""


def log_in(request, user, password, access_token, settings):
    # ruleid: prd401-secret-in-log
    logger.info("log in of %s with %s", user.name, password)
    # ruleid: prd401-secret-in-log
    logging.debug(f"token: {access_token}")
    # ruleid: prd401-secret-in-log
    print("password:", user.password)
    # ruleid: prd401-secret-in-log
    log.warning("headers %s" % request.headers)
    # ruleid: prd401-secret-in-log
    self.logger.error("refused: " + request.form["password"])

    # ok: prd401-secret-in-log
    logger.info("the password of %s was changed", user.name)
    # ok: prd401-secret-in-log
    logger.info("password of %d characters", len(password))
    # ok: prd401-secret-in-log
    logger.info(f"token: {mask(access_token)}")
    # ok: prd401-secret-in-log
    logger.info("max_tokens is %s", settings.max_tokens)
    # ok: prd401-secret-in-log
    logger.info("reset at %s", user.password_reset_url)
    # ok: prd401-secret-in-log
    logger.info("has a password: %s", bool(password))
    # ok: prd401-secret-in-log
    queue.put(password)
    # ok: prd401-secret-in-log
    logger.info("next page: %s", settings.page_token)

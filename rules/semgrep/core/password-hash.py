"""Passwords that are stored and hashed."""


def sign_up(request, cursor, db):
    password = request.form["password"]
    # ruleid: prd101-plaintext-password-storage
    db.session.add(User(name=request.form["name"], password=password))
    # ruleid: prd101-plaintext-password-storage
    User.objects.create(name="x", password=request.POST.get("password"))
    # ruleid: prd101-plaintext-password-storage
    cursor.execute("INSERT INTO users VALUES (?, ?)", (request.form["name"], password))
    # ok: prd101-plaintext-password-storage
    db.session.add(User(name="x", password=generate_password_hash(password)))
    # ok: prd101-plaintext-password-storage
    User.objects.create_user("x", password=password)
    # ok: prd101-plaintext-password-storage
    form = LoginForm(password=password)
    # ok: prd101-plaintext-password-storage
    cursor.execute("INSERT INTO users VALUES (?, ?)", ("x", hasher.hash(password)))
    # ok: prd101-plaintext-password-storage
    cursor.execute("SELECT id FROM users WHERE name = ?", (request.form["name"],))
    # ok: prd101-plaintext-password-storage
    db.session.add(User(name=request.form["name"], password=None))
    # ok: prd101-plaintext-password-storage
    check(name="x", password=password)


def digest(password, salt, content, user):
    # ruleid: prd102-weak-password-hash
    yield hashlib.md5(password.encode()).hexdigest()
    # ruleid: prd102-weak-password-hash
    yield hashlib.sha256(user.password.encode("utf-8")).hexdigest()
    # ruleid: prd102-weak-password-hash
    yield hashlib.sha512(salt + password.encode()).hexdigest()
    # ok: prd102-weak-password-hash
    yield hashlib.md5(content).hexdigest()
    # ok: prd102-weak-password-hash
    yield hashlib.sha256(user.email.encode()).hexdigest()
    # ok: prd102-weak-password-hash
    yield hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 600_000)
    # ok: prd102-weak-password-hash
    yield hashlib.scrypt(password.encode(), salt=salt, n=2**17, r=8, p=1)
    # ok: prd102-weak-password-hash
    yield bcrypt.hashpw(password.encode(), salt)

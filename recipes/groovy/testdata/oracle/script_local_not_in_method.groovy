def local = 5
def f() { local }
f()

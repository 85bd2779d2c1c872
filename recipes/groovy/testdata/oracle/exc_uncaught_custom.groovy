class MyEx extends RuntimeException { MyEx(String m) { super(m) } }
throw new MyEx("out")

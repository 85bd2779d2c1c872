def q(f, Object... a) { try { println "$f -> [${String.format(f, a)}]" } catch (Throwable e) { println "$f ! ${e.class.name}: ${e.message}" } }
[1, -1, 255, 1234567, -1234567, 5L, -5L, 123456789012345678901234567890G, -255G, null, (byte) 5].each { v ->
  ["%d","%5d","%-5d|","%05d","%+d","% d","%,d","%(d","%x","%X","%#x","%o","%#o","%08x","%s","%S","%10s","%-10s|","%.2s","%b","%B","%h","%H","%c","%,015d","%+,d","%(,d","%0+8d", "%-08d", "%+ d", "%-d", "%0d", "%,x", "%+x", "%(x", "%.2d", "%#d"].each { q(it, v) } }

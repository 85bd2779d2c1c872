def q(f, Object... a) { try { println "$f -> [${String.format(f, a)}]" } catch (Throwable e) { println "$f ! ${e.class.name}: ${e.message}" } }
def d = Date.parse("yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 13:34:56.789")
"HIklMSLNpBbhAaCYyjmdeRTrDF".each { q("%t$it", d) }
"HMY".each { q("%T$it", d) }
q("%tB", d); q("%TB", d); q("%1\$tY-%1\$tm-%1\$td", d); q("%tF %<tT", d); q("%tF", d.time); q("%tF", d.toCalendar()); q("%tF", "x"); q("%tF", null); q("%tx", d); q("%t", d); q("%10tY|", d); q("%-10tY|", d); q("%.3tY", d); q("%tF", 5); q("%td", 5); q("%#tY",d); q("%d", d); q("%tF %s", d, 1)
def ber = Calendar.getInstance(TimeZone.getTimeZone("Europe/Berlin")); ber.timeInMillis = 1709213696789L
q("%tT %<tZ %<tz %<ts %<tQ %<tc", ber)

import java.text.SimpleDateFormat
def tz(s) { TimeZone.getTimeZone(s) }
def t(n, c) { try { println "$n: ${c()}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
def f(p, z = "UTC") { def x = new SimpleDateFormat(p, Locale.US); x.setTimeZone(tz(z)); x }
def d = new Date(1709213696789L) // 2024-02-29 13:34:56.789 UTC Thu
def p(pat, s, z = "UTC", len = true) { try { def x = f(pat, z); x.lenient = len; println "$pat <- $s: ${x.parse(s).time}" } catch (Throwable e) { println "$pat <- $s ! ${e.class.name}: ${e.message}" } }
p("yyyy-MM-dd", "2024-02-30"); p("yyyy-MM-dd", "2024-02-30", "UTC", false); p("yyyy-MM-dd", "2024-13-01"); p("yyyy-MM-dd", "2024-13-01", "UTC", false)
p("yyyy-MM-dd", "2024-2-3 rest"); p("yyyy-MM-dd", "24-2-3"); p("yy-MM-dd", "24-2-3"); p("yy-MM-dd","99-01-01"); p("yy-MM-dd","2024-01-01"); p("yyyyMMdd", "20240203"); p("yyyyMMddHHmmss", "20240203040506"); p("yyyyMMdd","2024023")
p("HH:mm", "25:61"); p("HH:mm", "25:61", "UTC", false); p("hh:mm a", "12:30 AM"); p("hh:mm a", "12:30 pm"); p("hh:mm a","01:30 PM"); p("KK:mm a","00:30 PM"); p("kk:mm","24:10"); p("hh:mm", "13:00"); p("hh:mm","13:00","UTC",false)
p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 GMT+2"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 GMT+02:00"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 UTC"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 CET"); p("yyyy-MM-dd HH:mm z", "2024-07-03 04:05 CEST"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 EST"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 PDT"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 +0200"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 XYZ"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 IST"); p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 GMT")
p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 Z");p("yyyy-MM-dd HH:mm z", "2024-02-03 04:05 JST")
p("HH:mm Z", "04:05 +0200"); p("HH:mm Z", "04:05 +02:00"); p("HH:mm Z", "04:05 GMT"); p("HH:mm Z", "04:05 Z"); p("HH:mm Z","04:05 -0530"); p("HH:mm X", "04:05 +02"); p("HH:mm X", "04:05 Z"); p("HH:mm XX", "04:05 +0200"); p("HH:mm XXX", "04:05 +02:00"); p("HH:mm XXX", "04:05 +0200"); p("HH:mm X", "04:05 +0200")
p("dd MMM yyyy", "3 Feb 2024"); p("dd MMM yyyy", "3 February 2024"); p("dd MMMM yyyy", "3 feb 2024"); p("dd MMM yyyy", "3 02 2024"); p("EEE, dd MMM yyyy HH:mm:ss Z", "Sat, 03 Feb 2024 04:05:06 +0000"); p("EEE dd MMM yyyy", "Mon 03 Feb 2024"); p("EEE dd MMM yyyy", "Mon 03 Feb 2024", "UTC", false); p("EEE dd", "Xxx 03"); p("EEE","Monday")
p("yyyy-DDD", "2024-060"); p("yyyy 'w'w u", "2024 w9 4"); p("YYYY-'W'ww-u", "2024-W09-4"); p("SSS", "5"); p("s.SSS", "1.5"); p("s.SSS", "1.1234"); p("yyyy-MM-dd'T'HH:mm:ss'Z'", "2024-02-03T04:05:06Z"); p("yyyy-MM-dd HH:mm", "2024-02-03"); p("yyyy-MM-dd", " 2024-02-03"); p("yyyy-MM-dd", "2024 -02-03"); p("yyyy-MM-dd", "2024--2-03"); p("yyyy-MM-dd", "-2024-02-03"); p("yyyy/MM/dd", "2024-02-03"); p("HH:mm", "04:05", "Europe/Berlin"); p("yyyy-MM-dd HH:mm", "2024-03-31 02:30", "Europe/Berlin"); p("yyyy-MM-dd HH:mm", "2024-03-31 02:30", "Europe/Berlin", false); p("yyyy-MM-dd HH:mm", "2024-10-27 02:30", "Europe/Berlin"); p("yyyy MM", "2024 02"); p("G yyyy", "AD 2024"); p("yyyy G", "100 BC"); p("h:mm a", "4:05 xm"); p("yyyy","")
t("off") { try { f("yyyy-MM-dd").parse("2024-xx") } catch (java.text.ParseException e) { e.errorOffset } }
t("Date.parse tz") { Date.parse("yyyy-MM-dd", "2024-02-03", tz("GMT+2")).time }
t("applyPattern") { def x = f("yyyy"); x.applyPattern("MM"); x.format(d) }
t("fmt cal") { def c = Calendar.getInstance(tz("GMT+2")); c.time = d; c.format("yyyy-MM-dd HH:mm z") }
t("zone keeps") { def x = new SimpleDateFormat("HH:mm XXX"); x.timeZone = tz("UTC"); x.parse("04:05 +02:00"); x.format(d) }

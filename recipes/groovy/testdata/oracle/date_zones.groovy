import java.text.SimpleDateFormat
def tz(s) { TimeZone.getTimeZone(s) }
def t(n, c) { try { println "$n: ${c()}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
def f(p, z = "UTC") { def x = new SimpleDateFormat(p, Locale.US); x.setTimeZone(tz(z)); x }
def d = new Date(1709213696789L) // 2024-02-29 13:34:56.789 UTC Thu
["y","yy","yyy","yyyy","yyyyy","M","MM","MMM","MMMM","d","dd","D","DDD","E","EE","EEE","EEEE","u","uu","w","ww","W","F","H","HH","k","kk","K","h","hh","m","s","S","SSS","SS","SSSSS","a","aa","G","Y","YYYY","YY","Z","X","XX","XXX","z","zzzz","L","LLL","''","'it''s'","yyyy-MM-dd'T'HH:mm:ss.SSS'Z'","HH 'o''clock'"].each { p -> t(p) { f(p).format(d) } }
["GMT+2","GMT+02:30","GMT-5","Europe/Berlin","America/New_York","EST","PST","IST","Asia/Kolkata","nope","GMT+99","UTC","GMT","Z"].each { z -> t(z) { def q = tz(z); "${q.ID} ${q.rawOffset} ${q.getOffset(d.time)} ${q.useDaylightTime()} ${q.inDaylightTime(d)} ${f("HH:mm z Z X XX XXX", z).format(d)}" } }
t("summer") { f("yyyy-MM-dd HH:mm z Z zzzz", "Europe/Berlin").format(new Date(1720000000000L)) }
t("summerNY") { f("yyyy-MM-dd HH:mm z Z zzzz", "America/New_York").format(new Date(1720000000000L)) }
t("name") { tz("Europe/Berlin").displayName + "|" + tz("UTC").displayName + "|" + tz("GMT+2").displayName + "|" + tz("GMT").displayName+ "|" + tz("Europe/Berlin").getDisplayName(true, TimeZone.SHORT)+ "|" + tz("America/New_York").getDisplayName(false, TimeZone.LONG) }
t("tzs") { tz("UTC").toString() }
t("tzs") { tz("GMT+2").toString() }
t("eq") { tz("UTC") == tz("UTC") }
t("dst") { tz("Europe/Berlin").getDSTSavings() + tz("UTC").DSTSavings }
t("bad") { new SimpleDateFormat("yyyy b") }
t("bad2") { new SimpleDateFormat("yyyy 'x") }
t("fmt str") { f("yyyy").format("x") }
t("fmt date tz") { d.format("yyyy-MM-dd HH:mm z", tz("GMT+2")) }
t("fmt date ny") { d.format("yyyy-MM-dd HH:mm z", tz("America/New_York")) }

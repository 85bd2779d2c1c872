import static java.util.Calendar.*
def t(n, c) { try { println "$n: ${c()}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
def D = { Date.parse("yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 13:34:56.789") }
def s = { it.format("yyyy-MM-dd HH:mm:ss.SSS") }
t("d setters") { def d = D(); d.year = 100; d.month = 0; d.date = 31; d.hours = 1; d.minutes = 2; d.seconds = 3; s(d) }
t("d set month") { def d = D(); d.setMonth(1); d.setDate(31); s(d) }
t("d[]") { def d = D(); [d[YEAR], d[MONTH], d[DAY_OF_WEEK], d[HOUR], d[WEEK_OF_YEAR]] }
t("d[]=") { def d = D(); d[YEAR] = 2000; d[MONTH] = 11; s(d) }
t("d set map") { def d = D(); d.set(year: 2001, month: 3, date: 4); s(d) }
t("d set hourOfDay") { def d = D(); d.set(hourOfDay: 1, minute: 2, second: 3, millisecond: 4); s(d) }
t("d set x") { def d = D(); d.set(foo: 1) }
t("d copyWith") { def d = D(); [s(d.copyWith(date: 1)), s(d)] }
t("d updated") { s(D().updated(year: 1999)) }
t("d clearTime") { def d = D(); d.clearTime(); s(d) }
t("d + -") { [s(D() + 1), s(D() - 1), s(D().plus(31)), D() - (D() - 7), (D() + 2) - D()] }
t("d next") { [s(D().next()), s(D().previous())] }
t("d ++") { def d = D(); d++; s(d) }
t("upto") { def l = []; D().upto(D() + 2) { l << s(it) }; l }
t("downto") { def l = []; D().downto(D() - 2) { l << s(it) }; l }
t("range") { (D()..(D() + 2)).collect { s(it) } }
t("range2") { [(D()..(D() + 2)).size(), D() in (D()..(D()+1))] }
t("cmp null") { D() == null }
t("ctor int") { new Date(5).time }
t("format") { D().format("dd.MM.yyyy") + D().format("yyyy") }
t("dateString") { D().getDateString() + "|" + D().timeString + "|" + D().dateTimeString }
t("sort") { [D() + 1, D()].sort().collect { s(it) } }
t("max") { s([D() + 1, D()].max()) }
t("as") { [D() instanceof Date, D() instanceof Comparable, Calendar.instance instanceof Calendar, D().toTimestamp() instanceof Date] }
t("truth") { D() ? 1 : 2 }
t("switch") { switch (D()) { case Date: return "date"; default: return "no" } }
t("map key") { [(D()): 1][D()] }
t("eachday") { def l = []; for (x in D()..D()+1) l << s(x); l }
t("ints") { def d = D(); [d.year, d.month, d.date, d.day, d.hours, d.minutes, d.seconds] }
t("cmp") { [D() <=> D() + 1, D() < D() + 1, D() == D(), D().equals(D()), D().before(D() + 1), D().after(D()), D().compareTo(D() + 1), new Date(1709213696789L).hashCode()] }
t("days") { [D() - D().clearTime(), D().clearTime() - (D() - 1), D() - D().plus(400)] }
t("ctor") { [s(new Date(124, 1, 3)), s(new Date(124, 1, 30, 4, 5)), s(new Date(124, 1, 3, 4, 5, 61)), s(new Date("2024/02/29 13:34"))] }
t("UTC") { Date.UTC(124, 1, 3, 4, 5, 6) }
t("instant") { new Date(1709213696789L).toInstant().toString() + new Date(0).toInstant() }
t("timestamp") { def x = D().toTimestamp(); [x.class.name, x.toString(), x.nanos] }
t("julian") { [s(Date.parse("yyyy-MM-dd", "1582-10-15") - 1), s(Date.parse("yyyy-MM-dd", "1500-02-29"))] }
t("add months") { def c = D().toCalendar(); c.add(MONTH, 12); s(c.time) }

import static java.util.Calendar.*
def t(n, c) { try { println "$n: ${c()}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
def C = { def c = Calendar.getInstance(TimeZone.getTimeZone("UTC"), Locale.US); c.timeInMillis = 1709213696789L; c }
def s = { c -> c.time.format("yyyy-MM-dd HH:mm:ss.SSS", c.timeZone) }
t("fields") { [ERA,YEAR,MONTH,WEEK_OF_YEAR,WEEK_OF_MONTH,DATE,DAY_OF_YEAR,DAY_OF_WEEK,DAY_OF_WEEK_IN_MONTH,AM_PM,HOUR,HOUR_OF_DAY,MINUTE,SECOND,MILLISECOND,ZONE_OFFSET,DST_OFFSET].collect { C().get(it) } }
t("max") { [ERA,YEAR,MONTH,WEEK_OF_YEAR,WEEK_OF_MONTH,DATE,DAY_OF_YEAR,DAY_OF_WEEK,DAY_OF_WEEK_IN_MONTH,AM_PM,HOUR,HOUR_OF_DAY,MINUTE,SECOND,MILLISECOND].collect { C().getActualMaximum(it) } }
t("min") { [ERA,YEAR,MONTH,WEEK_OF_YEAR,WEEK_OF_MONTH,DATE,DAY_OF_YEAR,DAY_OF_WEEK,DAY_OF_WEEK_IN_MONTH,AM_PM,HOUR,HOUR_OF_DAY,MINUTE,SECOND,MILLISECOND].collect { C().getActualMinimum(it) } }
t("maximum") { [DATE, DAY_OF_YEAR, MONTH, HOUR_OF_DAY].collect { C().getMaximum(it) } }
t("sub") { C()[YEAR] + C()[Calendar.MONTH] }
t("subset") { def c = C(); c[YEAR] = 2020; s(c) }
t("subset2") { def c = C(); c.putAt(MONTH, 0); s(c) }
[[MONTH,1],[MONTH,12],[YEAR,1],[DATE,1],[DAY_OF_YEAR,-60],[WEEK_OF_YEAR,1],[WEEK_OF_MONTH,-1],[DAY_OF_WEEK,3],[DAY_OF_WEEK_IN_MONTH,1],[AM_PM,1],[HOUR,13],[HOUR_OF_DAY,-14],[MINUTE,61],[SECOND,3601],[MILLISECOND,1000]].each { fl, n -> t("add $fl $n") { def c = C(); c.add(fl, n); s(c) } }
[[MONTH,1],[MONTH,12],[MONTH,11],[YEAR,1],[DATE,1],[DATE,-30],[DAY_OF_YEAR,-60],[WEEK_OF_YEAR,1],[WEEK_OF_YEAR,50],[WEEK_OF_MONTH,1],[WEEK_OF_MONTH,-1],[DAY_OF_WEEK,3],[DAY_OF_WEEK_IN_MONTH,1],[AM_PM,1],[HOUR,13],[HOUR_OF_DAY,-14],[MINUTE,61],[SECOND,3601],[MILLISECOND,1000]].each { fl, n -> t("roll $fl $n") { def c = C(); c.roll(fl, n); s(c) } }
t("roll up") { def c = C(); c.roll(DATE, true); s(c) }
[[MONTH,1],[MONTH,12],[MONTH,-1],[YEAR,2023],[DATE,31],[DATE,0],[DAY_OF_YEAR,100],[WEEK_OF_YEAR,1],[WEEK_OF_MONTH,1],[DAY_OF_WEEK,1],[DAY_OF_WEEK,MONDAY],[AM_PM,0],[AM_PM,1],[HOUR,3],[HOUR_OF_DAY,3],[HOUR_OF_DAY,25],[MINUTE,70],[SECOND,0],[MILLISECOND,5],[DAY_OF_WEEK_IN_MONTH,1]].each { fl, n -> t("set $fl $n") { def c = C(); c.set(fl, n); s(c) } }
t("set3") { def c = C(); c.set(2020, 1, 30); s(c) }
t("set5") { def c = C(); c.set(2020, 1, 3, 4, 5); s(c) }
t("set6") { def c = C(); c.set(2020, 1, 3, 4, 5, 6); s(c) }
t("setmap") { def c = C(); c.set(year: 2020, month: 0, date: 5, hourOfDay: 3); s(c) }
t("set 31 then month") { def c = C(); c.set(DATE, 31); c.set(MONTH, 0); s(c) }
t("set month then date") { def c = C(); c.set(2024,0,31,0,0,0); c.set(MONTH, 1); c.set(DATE, 5); s(c) }
t("first of week") { def c = C(); [c.firstDayOfWeek, c.minimalDaysInFirstWeek] }
t("fdow mon") { def c = C(); c.firstDayOfWeek = MONDAY; c.set(DAY_OF_WEEK, SUNDAY); s(c) }
t("iso week") { def c = C(); c.firstDayOfWeek = MONDAY; c.minimalDaysInFirstWeek = 4; c.get(WEEK_OF_YEAR) }
t("clear") { def c = C(); c.clear(); s(c) }
t("clear f") { def c = C(); c.clear(MINUTE); s(c) }
t("clear msec") { def c = C(); c.clear(MILLISECOND); c.clear(SECOND); s(c) }
t("lenient") { def c = C(); c.lenient = false; c.set(MONTH, 14); c.time }
t("lenient2") { def c = C(); c.lenient = false; c.set(HOUR_OF_DAY, 25); c.timeInMillis }
t("isSet") { C().isSet(YEAR) }
t("before") { [C().before(Calendar.instance), C().after(Calendar.instance), C().compareTo(C()), C() == C(), C().equals(C()), C().before("x")] }
t("time") { C().time.time }
t("tz") { def c = C(); c.timeZone = TimeZone.getTimeZone("GMT+2"); [c.get(HOUR_OF_DAY), c.timeZone.ID, c.get(ZONE_OFFSET)] }
t("disp") { [C().getDisplayName(MONTH, LONG, Locale.US), C().getDisplayName(DAY_OF_WEEK, SHORT, Locale.US), C().getDisplayName(AM_PM, SHORT, Locale.US), C().getDisplayName(YEAR, SHORT, Locale.US)] }
t("class") { C().class.name }
t("greg") { def g = new GregorianCalendar(2020, 1, 3); [s(g), g.isLeapYear(2020), g.isLeapYear(1900)] }
t("greg6") { s(new GregorianCalendar(2020, Calendar.FEBRUARY, 3, 4, 5, 6)) }
t("gregtz") { new GregorianCalendar(TimeZone.getTimeZone("GMT+2")).timeZone.ID }
t("next cal") { s(C().next()) + s(C().previous()) }
t("++ cal") { def c = C(); c++; s(c) }
t("clone") { s(C().clone()) }
t("copyWith") { s(C().copyWith(year: 2000, second: 1)) }
t("updated") { s(C().updated(month: 5)) }
t("clearTime") { s(C().clearTime()) }
t("cal minus") { C() - C() }
t("weeksInWeekYear") { [C().weeksInWeekYear, C().weekYear] }
t("dst add") { def c = Calendar.getInstance(TimeZone.getTimeZone("Europe/Berlin")); c.set(2024, 2, 30, 12, 0, 0); c.set(MILLISECOND, 0); c.add(DATE, 1); def a = c.timeInMillis; c.add(HOUR, 24); [a, c.timeInMillis, c.get(HOUR_OF_DAY), c.get(DST_OFFSET)] }

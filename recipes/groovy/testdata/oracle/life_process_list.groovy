def ps = """\
root         1  0.0  0.1 init
mysql      812  1.2  4.0 /usr/sbin/mysqld --port=3306
www-data   990  0.3  1.0 apache2 -k start
www-data   991  0.2  1.0 apache2 -k start
"""
def rows = ps.readLines().collect { it.trim().split(/\s+/, 5) }.collect { [user: it[0], pid: it[1] as long, cpu: it[2].toBigDecimal(), cmd: it[4]] }
println rows.findAll { it.cmd =~ /apache2/ }*.pid
println rows.sum { it.cpu }
println rows.groupBy { it.user }.collectEntries { u, l -> [u, l.size()] }
println rows.max { it.cpu }.cmd.split(" ")[0]

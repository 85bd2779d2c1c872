import groovy.sql.Sql
import java.sql.SQLException

def sql = Sql.newInstance(args[0], args[1], "", "com.mysql.jdbc.Driver")
println sql.execute("create database shop character set utf8mb4")
sql.execute "use shop"
println sql.execute("""create table item (
    id int auto_increment primary key, name varchar(40) not null, price decimal(8,2),
    weight double, stock bigint, sold tinyint(1), made datetime, day date, data blob)""")

// GStrings bind their values
def name = "it's \"quoted\"; drop table item --"
def price = 12.50
println sql.executeInsert("insert into item (name, price, stock, sold, made, day) values (${name}, ${price}, ${5000000000L}, ${true}, '2014-01-02 03:04:05', '2014-01-02')")
println sql.executeInsert("insert into item (name) values ('${'plain'}')")
println sql.executeUpdate("insert into item (name, price) values (?, ?)", ["listed", 3])
println sql.executeUpdate("insert into item (name, price) values (?, ?)", "apart", 4)
println sql.executeUpdate("insert into item (name, price) values (:n, :p)", [n: "named", p: 1.25])
println sql.executeUpdate("update item set weight = 1.5")
println sql.updateCount

// rows
def row = sql.firstRow("select * from item where id = ${1}")
println row.name
println row.NAME == row["name"]
println row[0] + row[1].size()
println([row.price.class.simpleName, row.stock.class.simpleName, row.weight.class.simpleName, row.id.class.simpleName, row.data])
println "${row.made} ${row.day}"
println row.made.format("yyyy/MM/dd HH:mm")
println sql.firstRow("select * from item where id = ?", [99])
println sql.rows("select id, name from item where id > ${1} order by id")
println sql.rows("select id from item order by id", 2, 2)*.id
sql.eachRow("select name, price from item where price is not null order by price") { println "${it.name}: ${it.price}" }
sql.eachRow("select id from item where name like ? order by id", ["%a%"]) { println it.id + " " + it.getInt(1) + " " + it.getString("id") }
sql.query("select name from item where id = 2") { rs ->
    println rs.metaData.getColumnLabel(1)
    while (rs.next()) println rs.getString("name")
}
println sql.firstRow("show variables like 'lower_case_table_names'").Variable_name
println sql.firstRow("select count(*) as n, max(price) m from item").n

// transactions
sql.withTransaction {
    sql.executeUpdate "delete from item where id > 1"
}
println sql.firstRow("select count(*) c from item").c
try {
    sql.withTransaction {
        sql.execute "delete from item"
        throw new IllegalStateException("no")
    }
} catch (IllegalStateException e) {
    println "rolled back: " + sql.firstRow("select count(*) c from item").c
}
def counts = sql.withBatch("insert into item (name) values (?)") { b ->
    b.addBatch("x")
    b.addBatch(["y"])
}
println counts
try {
    sql.execute "select nonsense from nowhere"
} catch (SQLException e) {
    println e.message.contains("nowhere")
}
try {
    println row.nothing
} catch (MissingPropertyException e) {
    println "no such column"
}
sql.close()
try {
    sql.rows("select 1")
} catch (SQLException e) {
    println e.message
}
Sql.withInstance(url: args[0], user: args[1], password: "", driver: "org.mariadb.jdbc.Driver") { println it.firstRow("select 'within' as w").w }

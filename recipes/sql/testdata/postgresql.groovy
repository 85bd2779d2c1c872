import groovy.sql.Sql
import java.sql.SQLException

def sql = Sql.newInstance(args[0], args[1], "", "org.postgresql.Driver")
println sql.execute("create table a (x int); create table b (x int)")
println sql.execute("""create table item (
    id serial primary key, name text not null, price numeric(8,2),
    weight float8, stock bigint, sold boolean, made timestamp, day date, data bytea)""")

def name = "it's \"quoted\"; drop table item --"
def price = 12.50
println sql.executeInsert("insert into item (name, price, stock, sold) values (${name}, ${price}, ${5000000000L}, ${true})")[0][0..2]
println sql.executeInsert("insert into item (name, made, day) values ('${'plain'}', '2014-01-02 03:04:05', '2014-01-02') returning id")
println sql.executeUpdate("insert into item (name, price) values (?, ?)", ["listed", 3])
println sql.executeUpdate("insert into item (name, price) values (:n, :p::numeric)", [n: "named", p: 1.25])
println sql.executeUpdate("update item set weight = 1.5")

def row = sql.firstRow("select * from item where id = ${1}")
println row.name
println row[0] + row[1].size()
println([row.price.class.simpleName, row.stock.class.simpleName, row.weight.class.simpleName, row.id.class.simpleName, row.sold, row.data])
def two = sql.firstRow("select made, day from item where id = 2")
println "${two.made} ${two.day}"
println sql.firstRow("select * from item where id = ?", [99])
println sql.rows("select id, name from item where id > ${2} order by id")
println sql.rows("select id from item order by id", 2, 2)*.id
sql.eachRow("select name, price from item where price is not null order by price") { println "${it.name}: ${it.price}" }
sql.eachRow("select '\$1 ?' as q, id::text as t from item where id = ${3}") { println it.q + it.t }

sql.withTransaction { sql.executeUpdate "delete from item where id > 1" }
println sql.firstRow("select count(*) c from item").c
try {
    sql.withTransaction {
        sql.execute "delete from item"
        sql.execute "nonsense"
    }
} catch (SQLException e) {
    println "rolled back: " + sql.firstRow("select count(*) c from item").c
}
sql.connection.autoCommit = false
sql.execute "delete from item"
sql.rollback()
println sql.firstRow("select count(*) c from item").c
sql.commit()
sql.connection.autoCommit = true
sql.close()

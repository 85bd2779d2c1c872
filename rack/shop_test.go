package rack_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"appliance/api/wire"
	"appliance/pool"
)

// TestE2EApplication kills the two machines of an application, nginx in front
// of mariadb. The front's is replaced by the spare, the database's comes back
// when it is switched on again; no row that was acknowledged is lost, and no
// person does anything.
func TestE2EApplication(t *testing.T) { minutes(t, "application") }

// TestE2EReplica kills the machine of a database that has a replica, so that it
// does not come back: the replica takes over at the same name, with every row
// that was acknowledged, and another replica is made on the spare.
func TestE2EReplica(t *testing.T) { minutes(t, "replica") }

// TestE2EReplicaOnHosts is that on hosts that already run, which nothing proves
// to be off: the replica takes over when the operator has said so.
func TestE2EReplicaOnHosts(t *testing.T) { inWorld(t, "replicaOnHosts") }

const (
	frontService = "shop.nginx"
	baseService  = "shop.mariadb"
	frontName    = "nginx.shop"
	baseName     = "mariadb.shop"
)

func application(ctx context.Context) error {
	return site{machines: metal(3, 1024), pooled: 3, limit: 90 * time.Minute}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"the shop runs on two machines", func(ctx context.Context) error { return d.shop(ctx, "") }},
			{"rows are written through the front", func(ctx context.Context) error { return d.insert(ctx, frontName, 100) }},
			{"the front's machine dies", d.frontDies},
			{"the database's machine dies", d.baseDies},
		}
	})
}

func replica(ctx context.Context) error {
	return site{machines: metal(3, 1024), pooled: 3, limit: 90 * time.Minute, config: slowReturn}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"primary and replica run", func(ctx context.Context) error { return d.primaryAndReplica(ctx) }},
			{"rows are written at the name", func(ctx context.Context) error { return d.insert(ctx, "mariadb", 100) }},
			{"the primary dies, and the replica takes over", d.primaryDies},
			{"another replica follows", d.anotherReplica},
		}
	})
}

func replicaOnHosts(ctx context.Context) error {
	return site{machines: metal(1, 128), limit: 15 * time.Minute}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"three hosts run", func(ctx context.Context) error { return d.boxes(ctx, 0, 1, 2) }},
			{"they are adopted", func(ctx context.Context) error { return d.adopt(ctx, 0, 1, 2) }},
			{"primary and replica run", func(ctx context.Context) error { return d.primaryAndReplica(ctx, "--template", "host") }},
			{"rows are written at the name", func(ctx context.Context) error { return d.insert(ctx, "mariadb", 100) }},
			{"the primary's host dies, and the operator decides", d.hostOfPrimaryDies},
			{"another replica follows", d.anotherReplica},
		}
	})
}

// shop deploys the application: the shipped recipes, extended. template names
// a compute template; empty: that of the recipes.
func (d *healDay) shop(ctx context.Context, template string) error {
	compute := ""
	if template != "" {
		compute = fmt.Sprintf("    compute { template %q }\n", template)
	}
	err := errors.Join(d.recipes("nginx", "mariadb"), d.files(map[string]string{
		"shop/shop-application.groovy": "application {\n    name \"shop\"\n    service { name \"mariadb\" }\n" +
			"    service {\n        name \"nginx\"\n        dependsOn([\"mariadb\"])\n    }\n}\n",
		"shop/application.properties":         "pageText = \"Welcome to the shop.\"\n",
		"shop/mariadb/mariadb-service.groovy": "service {\n    extend \"../../mariadb\"\n    numInstances 1\n" + compute + "}\n",
		"shop/nginx/nginx-service.groovy":     "service {\n    extend \"../../nginx\"\n" + compute + "}\n",
		"shop/nginx/nginx-service.properties": "backendService = \"mariadb\"\nstreamPort = 3306\n",
	}))
	if err != nil {
		return err
	}
	if err := d.deployed(ctx, 45*time.Minute, []string{baseService, frontService}, "./shop"); err != nil {
		return err
	}
	return d.serves(ctx)
}

// serves says whether the front serves, and tells where the database is.
func (d *healDay) serves(ctx context.Context) error {
	text, err := page(ctx, "http://"+frontName+"."+zone+"./")
	if err != nil || text != "Welcome to the shop." {
		return fmt.Errorf("the front's page is %q, %w", text, err)
	}
	told, err := page(ctx, "http://"+frontName+"."+zone+"./backend")
	if err != nil {
		return err
	}
	s, err := d.api.Service(ctx, baseService)
	if err != nil {
		return err
	}
	if len(s.Endpoints) != 1 || told != s.Endpoints[0] {
		return fmt.Errorf("the front was told that the database is at %q; it is at %v", told, s.Endpoints)
	}
	d.say("the front serves and was told: the database is at %s", told)
	return nil
}

// database opens the database of a service at a name of the zone.
func (d *healDay) database(ctx context.Context, service, name string) (*sql.DB, error) {
	login := map[string]string{"user": "", "password": "", "database": ""}
	for k := range login {
		v, err := d.api.Attribute(ctx, service, k)
		if err != nil {
			return nil, fmt.Errorf("attribute %s of %s: %w", k, service, err)
		}
		var text string
		if err := json.Unmarshal(v.Value, &text); err != nil {
			return nil, fmt.Errorf("attribute %s of %s is no text: %w", k, service, err)
		}
		login[k] = text
	}
	mysql.RegisterDialContext("zone", func(ctx context.Context, addr string) (net.Conn, error) { return byName(ctx, "tcp", addr) })
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "zone", name+"."+zone+".:3306", login["user"], login["password"], login["database"]
	c.Timeout, c.ReadTimeout, c.WriteTimeout = 10*time.Second, 30*time.Second, 30*time.Second
	c.Logger = log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

// serviceOf is the database's service by the name that its clients use.
func serviceOf(name string) string {
	if strings.HasSuffix(name, ".shop") {
		return baseService
	}
	return "mariadb"
}

// insert writes n rows at a name, and keeps those that were acknowledged; a
// negative n means until one is not.
func (d *healDay) insert(ctx context.Context, name string, n int) (err error) {
	db, err := d.database(ctx, serviceOf(name), name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS kept (id VARCHAR(40) PRIMARY KEY)"); err != nil {
		return err
	}
	for i := 0; i < n || n < 0; i++ {
		row := fmt.Sprintf("row-%d", d.tried) // one that was not acknowledged may be there all the same
		d.tried++
		if _, err := db.ExecContext(ctx, "INSERT INTO kept (id) VALUES (?)", row); err != nil {
			return fmt.Errorf("insert %s at %s: %w", row, name, err)
		}
		d.rows = append(d.rows, row)
	}
	d.say("%d rows are acknowledged at %s", len(d.rows), name)
	return nil
}

// insertUntilDeath writes rows while the machine is killed by kill, and
// returns when that happened.
func (d *healDay) insertUntilDeath(ctx context.Context, name string, kill func() error) (at time.Time, err error) {
	type death struct {
		at   time.Time
		took time.Duration
		err  error
	}
	killed := make(chan death, 1)
	before := len(d.rows)
	go func() {
		time.Sleep(5 * time.Second) // some rows are written meanwhile
		at := time.Now()
		err := kill()
		killed <- death{at, time.Since(at), err}
	}()
	err = d.insert(ctx, name, -1)
	k := <-killed
	if k.err != nil {
		return at, k.err
	}
	if ctx.Err() != nil {
		return at, err
	}
	d.say("the machine was killed after %d further rows, by a call of %s: %v", len(d.rows)-before, k.took.Round(time.Millisecond), err)
	return k.at, nil
}

// counted reads at a name every row that was acknowledged.
func (d *healDay) counted(ctx context.Context, name string) (err error) {
	db, err := d.database(ctx, serviceOf(name), name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT id FROM kept")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // read to its end
	has := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		has[id] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(d.rows), func(r string) bool { return has[r] })
	if len(missing) > 0 {
		return fmt.Errorf("of %d acknowledged rows %d are gone at %s, the first is %s", len(d.rows), len(missing), name, missing[0])
	}
	d.say("all %d acknowledged rows are there, at %s (%d in all)", len(d.rows), name, len(has))
	return nil
}

func (d *healDay) frontDies(ctx context.Context) error {
	in, i, err := d.instance(ctx, frontService)
	if err != nil {
		return err
	}
	at := time.Now()
	if err := d.rack.Machines[i].PowerOff(ctx); err != nil {
		return err
	}
	err = d.until(ctx, 20*time.Minute, "the front runs on another machine", func() (bool, error) {
		now, _, err := d.instance(ctx, frontService)
		return err == nil && now.Phase == pool.InstanceRunning && now.Machine != in.Machine, nil //nolint:nilerr // it is on its way
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{"machine.lost", "instance.replacing", "instance.healed"} {
		if err := d.since(ctx, kind, at); err != nil {
			return err
		}
	}
	if err := d.deathFigures(ctx, in.Machine, at); err != nil {
		return err
	}
	m, err := d.machine(ctx, i, time.Second, "is held back", func(m wire.Machine) bool { return m.Phase == pool.Enrolled && m.Instance == "" })
	if err != nil {
		return err
	}
	if !m.Conditions.Is(pool.CondProtected) || !m.Conditions.Is(pool.CondHold) || d.rack.Machines[i].On() {
		return fmt.Errorf("the lost machine (on: %t): %v", d.rack.Machines[i].On(), m.Conditions)
	}
	return errors.Join(d.serves(ctx), d.counted(ctx, frontName))
}

func (d *healDay) baseDies(ctx context.Context) error {
	in, i, err := d.instance(ctx, baseService)
	if err != nil {
		return err
	}
	at, err := d.insertUntilDeath(ctx, frontName, func() error { return d.rack.Machines[i].PowerOff(ctx) })
	if err != nil {
		return err
	}
	err = d.until(ctx, 15*time.Minute, "the database is back", func() (bool, error) {
		now, _, err := d.instance(ctx, baseService)
		return now.Phase == pool.InstanceRunning && now.RunningAt.After(at) && now.Machine == in.Machine, err
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{"machine.lost", "instance.power-on", "instance.running"} {
		if err := d.since(ctx, kind, at); err != nil {
			return err
		}
	}
	return errors.Join(d.deathFigures(ctx, in.Machine, at), d.serves(ctx), d.counted(ctx, frontName), d.insert(ctx, frontName, 20))
}

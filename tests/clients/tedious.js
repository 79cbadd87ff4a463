// One statement through tedious: `tedious.js HOST PORT USER`, {"password", "sql"} on standard input, {"value", "number"} out.
const { Connection, Request } = require('tedious');

const [host, port, user] = process.argv.slice(2);
let input = '';
process.stdin.on('data', (chunk) => { input += chunk; });
process.stdin.on('end', () => {
  const { password, sql } = JSON.parse(input);
  const connection = new Connection({
    server: host,
    authentication: { type: 'default', options: { userName: user, password } },
    options: { port: Number(port), database: 'master', encrypt: true, trustServerCertificate: true },
  });
  let number = 0;
  let value = null;
  connection.on('errorMessage', (message) => { number = number || message.number; });
  connection.connect((failed) => {
    if (failed) {
      process.stderr.write(`${failed.message}\n`);
      process.exit(1);
    }
    const request = new Request(sql, () => {
      process.stdout.write(JSON.stringify({ value, number }));
      connection.close();
    });
    request.on('row', (columns) => { value = value === null ? columns[0].value : value; });
    connection.execSqlBatch(request);
  });
});

using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using System.Security;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Documents
{
    /// <summary>A running lab, with everything that the commands need to reach it.</summary>
    public sealed class PChatLab
    {
        private PChatLab()
        {
        }

        /// <summary>The backup instance, which holds the log-shipped copy.</summary>
        public string SqlInstance { get; private set; }

        public string Database { get; private set; }

        public string PoolFqdn { get; private set; }

        public string Scenario { get; private set; }

        public string PrimarySqlInstance { get; private set; }

        public string PrimaryMirrorSqlInstance { get; private set; }

        public string BackupMirrorSqlInstance { get; private set; }

        public string MonitorSqlInstance { get; private set; }

        /// <summary>The pool's servers at the other site.</summary>
        public string[] ActiveServer { get; private set; }

        public string MirrorFileShare { get; private set; }

        /// <summary>The lab's names and their loopback addresses, for -AddressMap.</summary>
        public Hashtable AddressMap { get; private set; }

        /// <summary>Its folders and shares, and where this machine has them, for -PathMap.</summary>
        public Hashtable PathMap { get; private set; }

        /// <summary>A login of the lab; it protects nothing.</summary>
        public PSCredential SqlCredential { get; private set; }

        /// <summary>SqlCredential, AddressMap and TrustServerCertificate, for splatting: Get-PChatConnection B\RTC @c.</summary>
        public Hashtable Connection { get; private set; }

        /// <summary>The stand-ins for the *-Cs* commands: Import-Module takes this path.</summary>
        public string StandInModule { get; private set; }

        /// <summary>The address of the control door, host:port.</summary>
        public string Control { get; private set; }

        public int ProcessId { get; private set; }

        /// <summary>The parameters of a failover on this lab, for splatting.</summary>
        public Hashtable Failover
        {
            get
            {
                var parameters = new Hashtable(Connection)
                {
                    { "SqlInstance", SqlInstance },
                    { "PoolFqdn", PoolFqdn },
                    { "ActiveServer", ActiveServer },
                    { "MirrorFileShare", MirrorFileShare },
                    { "PathMap", PathMap },
                };
                Add(parameters, "PrimarySqlInstance", PrimarySqlInstance);
                Add(parameters, "PrimaryMirrorSqlInstance", PrimaryMirrorSqlInstance);
                Add(parameters, "BackupMirrorSqlInstance", BackupMirrorSqlInstance);
                return parameters;
            }
        }

        private static void Add(Hashtable parameters, string name, string value)
        {
            if (value != null)
            {
                parameters[name] = value;
            }
        }

        /// <summary>Reads what a lab says of itself.</summary>
        internal static PChatLab Of(LabProcess lab, string scenario, string standInModule)
        {
            Dictionary<string, object> about = lab.About;
            var instances = new Dictionary<string, string>();
            foreach (Dictionary<string, object> instance in List(about, "instances"))
            {
                instances[Text(instance, "role") ?? string.Empty] = Text(instance, "name");
            }
            var made = new PChatLab
            {
                Control = Text(about, "control"),
                ProcessId = lab.Id,
                Scenario = scenario,
                SqlInstance = Of(instances, "backup"),
                PrimarySqlInstance = Of(instances, "primary"),
                PrimaryMirrorSqlInstance = Of(instances, "primary_mirror"),
                BackupMirrorSqlInstance = Of(instances, "backup_mirror"),
                MonitorSqlInstance = Of(instances, "monitor"),
                Database = Text(about, "database") ?? "mgc",
                PoolFqdn = Text(about, "pool_fqdn") ?? "pchat.contoso.com",
                ActiveServer = new[] { "s3.contoso.com", "s4.contoso.com" },
                MirrorFileShare = @"\\fs2\mirror",
                AddressMap = Map(about, "address_map", "name", "address", null),
                PathMap = Map(about, "path_map", "from", "to", Of(instances, "backup")),
                StandInModule = standInModule,
            };
            foreach (Dictionary<string, object> login in List(about, "logins"))
            {
                made.SqlCredential = new PSCredential(Text(login, "user") ?? Text(login, "name"), Secure(Text(login, "password")));
                break;
            }
            made.Connection = new Hashtable(StringComparer.OrdinalIgnoreCase)
            {
                { "SqlCredential", made.SqlCredential },
                { "AddressMap", made.AddressMap },
                { "TrustServerCertificate", true },
            };
            return made;
        }

        private static string Of(Dictionary<string, string> instances, string role)
        {
            string name;
            return instances.TryGetValue(role, out name) ? name : null;
        }

        private static List<object> List(Dictionary<string, object> about, string member)
        {
            object list;
            return about.TryGetValue(member, out list) && list is List<object> ? (List<object>)list : new List<object>();
        }

        private static string Text(Dictionary<string, object> about, string member)
        {
            object text;
            return about.TryGetValue(member, out text) ? text as string : null;
        }

        /// <summary>Folders of other servers than the instance's own would carry the same names.</summary>
        private static Hashtable Map(Dictionary<string, object> about, string member, string key, string value, string instance)
        {
            var map = new Hashtable(StringComparer.OrdinalIgnoreCase);
            foreach (Dictionary<string, object> entry in List(about, member))
            {
                string server = Text(entry, "server");
                if (server == null || instance == null || string.Equals(instance.Split(new[] { '\\' })[0], server, StringComparison.OrdinalIgnoreCase))
                {
                    map[Text(entry, key)] = Text(entry, value);
                }
            }
            return map;
        }

        private static SecureString Secure(string text)
        {
            var secure = new SecureString();
            foreach (char letter in text ?? string.Empty)
            {
                secure.AppendChar(letter);
            }
            return secure;
        }

        public override string ToString()
        {
            return Scenario + " at " + Control;
        }
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Management.Automation;
using PersistentChatFailover.Commands;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Tests
{
    /// <summary>A lab for tests, and the cmdlets pointed at it. Native commands go through the lab's control door.</summary>
    internal sealed class Lab : IDisposable
    {
        private static readonly List<Lab> Started = new List<Lab>();

        private readonly LabProcess process;
        private LabDoor pointed;

        internal Lab(string scenario)
        {
            process = LabProcess.Start(scenario, () => false);
            About = PChatLab.Of(process, scenario, "stand-ins");
            Journal = Path.Combine(Path.GetTempPath(), "pchat-mono-" + Guid.NewGuid().ToString("N"));
            Started.Add(this);
            pointed = Door;
            NamePorts();
            Carry();
        }

        /// <summary>With the port in the map nobody waits for the browser of a dead host: its port refuses at once.</summary>
        private void NamePorts()
        {
            foreach (Dictionary<string, object> instance in (List<object>)process.About["instances"])
            {
                if ((string)instance["site"] == "home")
                {
                    About.AddressMap[instance["host"]] = instance["address"] + ":" + instance["port"];
                }
            }
        }

        internal PChatLab About { get; private set; }

        internal string Journal { get; private set; }

        internal LabDoor Door
        {
            get { return process.Door; }
        }

        /// <summary>Everything that changed since the start, as one text.</summary>
        internal string Effects
        {
            get { return Json.Write(Door.Ask("effects")); }
        }

        internal T Pointed<T>(T command) where T : ConnectionCommand
        {
            command.SqlCredential = About.SqlCredential;
            command.AddressMap = About.AddressMap;
            command.TrustServerCertificate = true;
            var target = command as TargetCommand;
            if (target != null)
            {
                target.SqlInstance = new[] { About.SqlInstance };
                target.PoolFqdn = About.PoolFqdn;
            }
            var folder = command as FolderCommand;
            if (folder != null)
            {
                folder.PathMap = About.PathMap;
                folder.JournalPath = Journal;
            }
            var failover = command as FailoverCommand;
            if (failover != null)
            {
                failover.PathMap = About.PathMap;
                failover.JournalPath = Journal;
                failover.ActiveServer = About.ActiveServer;
                failover.MirrorFileShare = About.MirrorFileShare;
                failover.PrimarySqlInstance = About.PrimarySqlInstance;
                failover.PrimaryMirrorSqlInstance = About.PrimaryMirrorSqlInstance;
                failover.BackupMirrorSqlInstance = About.BackupMirrorSqlInstance;
            }
            return command;
        }

        internal void Run(PChatCommand command)
        {
            using (command)
            {
                command.Run();
            }
        }

        /// <summary>Lets the mono stand-in of PowerShell find and run the lab's native commands.</summary>
        private void Carry()
        {
            CommandInvocationIntrinsics.Known = name => new StandIn(name);
            PowerShell.Carrier = (name, parameters) =>
            {
                string plain = name.Substring(name.LastIndexOf('\\') + 1);
                if (plain == "Get-Command")
                {
                    return new[] { new PSObject(new StandIn((string)parameters["Name"])) };
                }
                if (plain == "Connect-PChatLabLync")
                {
                    // A drill points the stand-ins at its own lab.
                    pointed = new LabDoor((string)parameters["Control"]);
                }
                if (!plain.Contains("-Cs"))
                {
                    return new PSObject[0];
                }
                return Native(plain, parameters);
            };
        }

        private IEnumerable<PSObject> Native(string name, Dictionary<string, object> parameters)
        {
            var plain = new Dictionary<string, object>();
            foreach (KeyValuePair<string, object> parameter in parameters)
            {
                if (parameter.Key == "ErrorAction")
                {
                    continue;
                }
                object value = parameter.Value;
                plain[parameter.Key] = value is SwitchParameter ? ((SwitchParameter)value).IsPresent : value;
            }
            var answer = (Dictionary<string, object>)pointed.Ask(
                "native", new Dictionary<string, object> { { "name", name }, { "parameters", plain } });
            if ((string)answer["outcome"] != "completed")
            {
                throw new RuntimeException(name + ": " + Json.Write(answer["error"]));
            }
            var objects = new List<PSObject>();
            foreach (object item in (List<object>)answer["objects"])
            {
                objects.Add(Wrapped(item));
            }
            return objects;
        }

        private static PSObject Wrapped(object item)
        {
            var map = item as Dictionary<string, object>;
            if (map == null)
            {
                return new PSObject(item);
            }
            var wrapped = new PSObject();
            foreach (KeyValuePair<string, object> member in map)
            {
                object value = member.Value is Dictionary<string, object> ? Wrapped(member.Value) : member.Value;
                wrapped.Properties.Add(new PSNoteProperty(member.Key, value));
            }
            return wrapped;
        }

        public void Dispose()
        {
            process.Dispose();
            if (Directory.Exists(Journal))
            {
                Directory.Delete(Journal, true);
            }
        }

        internal static void StopAll()
        {
            foreach (Lab lab in Started)
            {
                lab.Dispose();
            }
        }

        /// <summary>A command that has every parameter.</summary>
        private sealed class StandIn : CommandInfo
        {
            private readonly string name;

            internal StandIn(string name)
            {
                this.name = name.Substring(name.LastIndexOf('\\') + 1);
            }

            public override string Name
            {
                get { return name; }
            }

            public override string ModuleName
            {
                get { return "PChatLab.Lync"; }
            }

            public override PSModuleInfo Module
            {
                get { return PSModuleInfo.ForTests("PChatLab.Lync", new System.Collections.Hashtable { { "PChatStandIn", true } }); }
            }

            public override Dictionary<string, ParameterMetadata> Parameters
            {
                get
                {
                    var all = new Dictionary<string, ParameterMetadata>(StringComparer.OrdinalIgnoreCase);
                    string[] known =
                    {
                        "Identity", "PoolState", "ActiveServers", "PersistentChatServer", "PersistentChatDatabase", "DatabaseType", "FileShare",
                        "SqlServerFqdn", "SqlInstanceName", "ComputerName", "ReplicaFqdn", "Name", "ErrorAction", "PoolFqdn", "Registrar",
                        "CentralManagement", "FileStore",
                    };
                    foreach (string parameter in known)
                    {
                        all[parameter] = new ParameterMetadata();
                    }
                    if (!name.StartsWith("Get-", StringComparison.Ordinal))
                    {
                        all["WhatIf"] = new ParameterMetadata();
                        all["Confirm"] = new ParameterMetadata();
                    }
                    return all;
                }
            }
        }
    }
}

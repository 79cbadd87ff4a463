using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>A command about one database on one or several instances, taken by property name from the pipeline.</summary>
    public abstract class TargetCommand : ConnectionCommand
    {
        /// <summary>The instance acted on: host, host\instance or host,port.</summary>
        [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [InstanceName]
        [ValidateNotNullOrEmpty]
        public virtual string[] SqlInstance { get; set; }

        /// <summary>The database; mgc unless another is named.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        [ValidateNotNullOrEmpty]
        public virtual string Database { get; set; }

        /// <summary>The Persistent Chat pool, carried through to the outputs.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string PoolFqdn { get; set; }

        protected TargetCommand()
        {
            Database = "mgc";
        }

        internal virtual Dictionary<string, object> Target(string instance)
        {
            return new Dictionary<string, object>
            {
                { "sql_instance", instance },
                { "database", Database },
                { "pool_fqdn", NullIfEmpty(IsServerOf(instance) ? null : PoolFqdn) },
            };
        }

        /// <summary>A store of the topology binds its SQL server as PoolFqdn, and that is no Persistent Chat pool.</summary>
        private bool IsServerOf(string instance)
        {
            return PoolFqdn != null && string.Equals(instance.Split(new[] { '\\' })[0], PoolFqdn, StringComparison.OrdinalIgnoreCase);
        }

        /// <summary>A result that says what it was about, for an operation that ends without one.</summary>
        internal RunResult NoResult(string kind, string instance)
        {
            return RunResult.Begun(kind, instance, Database, PoolFqdn);
        }
    }
}

using System;
using System.Collections;
using System.Management.Automation;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// Takes instance names: texts, lists of them, objects that carry one as SqlInstance, and the databases of
    /// Get-CsService. Without it the shell would turn any object from the pipeline into its type's name and take that for an
    /// instance.
    /// </summary>
    [AttributeUsage(AttributeTargets.Property)]
    public sealed class InstanceNameAttribute : ArgumentTransformationAttribute
    {
        /// <summary>Lets another parameter of the pipeline have what is no instance.</summary>
        public bool PassesOver { get; set; }

        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            var wrapped = inputData as PSObject;
            object plain = wrapped == null ? inputData : wrapped.BaseObject;
            if (plain == null || plain is string)
            {
                return plain;
            }
            var list = plain as IEnumerable;
            if (list != null && !(plain is IDictionary))
            {
                var names = new ArrayList();
                foreach (object item in list)
                {
                    names.Add(Transform(engineIntrinsics, item));
                }
                return names.ToArray();
            }
            PSPropertyInfo property = PSObject.AsPSObject(inputData).Properties["SqlInstance"];
            var name = property == null ? null : property.Value as string;
            name = name ?? OfStore(PSObject.AsPSObject(inputData));
            if (name == null)
            {
                string message = "An object of type " + plain.GetType().Name + " is no instance name and has no SqlInstance. " +
                    "Give host, host\\instance or host,port.";
                // The binder goes on to other parameters only behind a cast that failed.
                throw PassesOver
                    ? new ArgumentTransformationMetadataException(message, new PSInvalidCastException(message, null))
                    : new ArgumentTransformationMetadataException(message);
            }
            return name;
        }

        /// <summary>A store of the topology carries its server as PoolFqdn, and a name for an instance that is not the default one.</summary>
        private static string OfStore(PSObject store)
        {
            PSPropertyInfo instance = store.Properties["SqlInstanceName"];
            PSPropertyInfo server = store.Properties["PoolFqdn"];
            if (instance == null || server == null || server.Value == null)
            {
                return null;
            }
            string name = instance.Value == null ? string.Empty : instance.Value.ToString();
            return name.Length == 0 ? server.Value.ToString() : server.Value + "\\" + name;
        }
    }
}

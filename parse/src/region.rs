//! Regions and the partitions that they are in.

/// The partition of a region, as the AWS General Reference lists them (2026-06); a region of no other is in `aws`.
///
/// ```
/// use eksplain_parse::region::partition_of;
/// assert_eq!(partition_of("eu-west-1"), "aws");
/// assert_eq!(partition_of("us-gov-west-1"), "aws-us-gov");
/// ```
pub fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}
